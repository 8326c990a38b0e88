{% macro normalize_timestamp(expr) -%}
    {%- set wall = valid_wall_time_pattern() -%}
    {%- set sign = 'case when substring(right(' ~ expr ~ ", 6), 1, 1) = '-' then 1 else -1 end" -%}
    {%- set hours = 'cast(substring(right(' ~ expr ~ ', 6), 2, 2) as int)' -%}
    {%- set minutes = 'cast(right(' ~ expr ~ ', 2) as int)' -%}
    {%- set shifted = dbt.dateadd(
        'minute',
        '(' ~ sign ~ ') * (' ~ hours ~ ' * 60 + ' ~ minutes ~ ')',
        cast_utc_timestamp('left(' ~ expr ~ ', length(' ~ expr ~ ') - 6)')
    ) | trim -%}
    {%- set utc = '^' ~ wall ~ 'Z?$' -%}
    {%- set with_offset = '^' ~ wall ~ '[+-](?:0[0-9]|1[0-4]):[0-5][0-9]$' -%}
    {{- null_if_epoch(
        'case when ' ~ regexp_matches(expr, utc) ~ ' then ' ~ cast_utc_timestamp(expr)
        ~ ' when ' ~ regexp_matches(expr, with_offset) ~ ' then ' ~ shifted
        ~ ' when ' ~ regexp_matches(expr, '[0-9]{4}') ~ ' then ' ~ parse_timestamp(expr)
        ~ ' end'
    ) -}}
{%- endmacro %}
