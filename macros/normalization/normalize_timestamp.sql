{% macro normalize_timestamp(expr) -%}
    {%- set wall = valid_wall_time_pattern() -%}
    {%- set sign = 'case when substring(right(' ~ expr ~ ", 6), 1, 1) = '-' then 1 else -1 end" -%}
    {%- set hours = 'cast(substring(right(' ~ expr ~ ', 6), 2, 2) as int)' -%}
    {%- set minutes = 'cast(right(' ~ expr ~ ', 2) as int)' -%}
    nullif(
        case
            when {{ regexp_matches(expr, '^' ~ wall ~ 'Z?$') }} then {{ cast_utc_timestamp(expr) }}
            when {{ regexp_matches(expr, '^' ~ wall ~ '[+-](?:0[0-9]|1[0-4]):[0-5][0-9]$') }}
                then {{ dbt.dateadd(
                    'minute',
                    '(' ~ sign ~ ') * (' ~ hours ~ ' * 60 + ' ~ minutes ~ ')',
                    cast_utc_timestamp('left(' ~ expr ~ ', length(' ~ expr ~ ') - 6)')
                ) | trim }}
            when {{ regexp_matches(expr, '[0-9]{4}') }} then {{ parse_timestamp(expr) }}
        end,
        cast('1970-01-01 00:00:00' as {{ dbt.type_timestamp() }})
    )
{%- endmacro %}
