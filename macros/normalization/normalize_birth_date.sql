{% macro normalize_birth_date(expr, as_of=none) -%}
    {%- set today = as_of or "cast('" ~ var('as_of') ~ "' as date)" -%}
    {%- set oldest = 'cast(' ~ dbt.dateadd('year', -(var('max_age_years') | int), today) | trim
        ~ ' as date)' -%}
    {%- set defaults = "cast('1900-01-01' as date), cast('1970-01-01' as date)" -%}
    {%- set space = character_class('space') -%}
    {%- set iso = regexp_replace_steps(expr, [
        ('^[' ~ space ~ ']+|[' ~ space ~ ']+$', ''),
        ('^([0-9])([/.-])', '0\\1\\2'),
        ('^([0-9]{2}[/.-])([0-9])([/.-])', '\\1' ~ '0\\2\\3'),
        ('^([0-9]{2})[/.-]([0-9]{2})[/.-]([0-9]{4})', '\\3-\\2-\\1'),
        ('^([0-9]{4})[/.]([0-9]{2})[/.]([0-9]{2})', '\\1-\\2-\\3'),
        ('^([0-9]{4})([0-9]{2})([0-9]{2})$', '\\1-\\2-\\3'),
    ]) -%}
    {%- set shape = '^(' ~ valid_date_pattern(from_1000=true) ~ ')(?:[T ][0-9:.,+-]*[Zz]?)?$' -%}
    {{- bind_value(
        'birth_day',
        'cast(' ~ regexp_extract(iso, shape, 1) ~ ' as date)',
        'case when birth_day between ' ~ oldest ~ ' and ' ~ today
        ~ ' and birth_day not in (' ~ defaults ~ ') then birth_day end'
    ) -}}
{%- endmacro %}
