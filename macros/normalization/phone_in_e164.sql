{% macro phone_in_e164(digits, plan) -%}
    {%- set valid = '^' ~ phone_pattern() ~ '$' -%}
    {%- set code = 'substring(' ~ plan ~ ', 3)' -%}
    {%- set trunk_codes = [] -%}
    {%- for entry in phone_plans().values() if entry.trunk == '0' -%}
        {%- do trunk_codes.append(entry.code) -%}
    {%- endfor -%}
    {%- set trunk_dropped = regexp_replace_all(
        digits, '^[+](' ~ trunk_codes | join('|') ~ ')0', '+\\1'
    ) -%}
    {%- set read_at_home = 'case when ' ~ digits ~ " like '+%' then " ~ trunk_dropped
        ~ ' when ' ~ plan ~ " like 't%' and " ~ digits ~ " like '0%'"
        ~ " then '+' || " ~ code ~ ' || substring(' ~ digits ~ ', 2)'
        ~ ' when ' ~ plan ~ " like '_b%' then '+' || " ~ code ~ ' || ' ~ digits ~ ' end' -%}
    {%- set read_with_code = 'case when ' ~ digits ~ ' like ' ~ code ~ " || '%' then '+' || "
        ~ digits ~ ' end' -%}
    coalesce({{ regexp_extract(read_at_home, valid) }}, {{ regexp_extract(read_with_code, valid) }})
{%- endmacro %}
