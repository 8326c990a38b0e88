{% macro normalize_timestamp(expr) -%}
    {%- set date = valid_date_pattern() -%}
    {%- set time = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]' -%}
    {%- set zero = "cast('1970-01-01 00:00:00' as " ~ dbt.type_timestamp() ~ ')' -%}
    nullif(
        case
            when {{ regexp_matches(expr, '^' ~ date ~ '[T ]' ~ time ~ '(?:[.][0-9]{1,6})?Z?$') }}
                then {{ cast_utc_timestamp(expr) }}
            when {{ regexp_matches(expr, '[0-9]{4}') }}
                then {{ parse_timestamp(expr) }}
        end,
        {{ zero }}
    )
{%- endmacro %}
