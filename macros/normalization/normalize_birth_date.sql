{% macro normalize_birth_date(expr, as_of=none) -%}
    {%- set today = as_of or "cast('" ~ var('as_of') ~ "' as date)" -%}
    {%- set steps = [
        ('^[' ~ character_class('space') ~ ']+|[' ~ character_class('space') ~ ']+$', ''),
        ('^([0-9])([/.-])', '0\\1\\2'),
        ('^([0-9]{2}[/.-])([0-9])([/.-])', '\\g<1>0\\2\\3'),
        ('^([0-9]{2})[/.-]([0-9]{2})[/.-]([0-9]{4})', '\\3-\\2-\\1'),
        ('^([0-9]{4})[/.]([0-9]{2})[/.]([0-9]{2})', '\\1-\\2-\\3'),
        ('^([0-9]{4})([0-9]{2})([0-9]{2})$', '\\1-\\2-\\3'),
    ] -%}
    {%- set ns = namespace(text=expr) -%}
    {%- for pattern, replacement in steps -%}
        {%- set ns.text = regexp_replace_all(ns.text, pattern, replacement | replace('\\g<1>', '\\1')) -%}
    {%- endfor -%}
    {%- set iso = '^(' ~ valid_date_pattern() ~ ')(?:[T ][0-9:.,+-]*[Zz]?)?$' -%}
    {{- bind_value(
        'birth_day',
        'cast(' ~ regexp_extract(ns.text, iso, 1) ~ ' as date)',
        "case when birth_day <= " ~ today
        ~ " and birth_day >= cast(" ~ dbt.dateadd('year', -120, today) ~ " as date)"
        ~ " and birth_day not in (cast('1900-01-01' as date), cast('1970-01-01' as date)) then birth_day end"
    ) -}}
{%- endmacro %}
