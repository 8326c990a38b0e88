{# A text with an offset is turned into UTC already, and UTC to UTC changes nothing. #}
{% macro local_to_utc(expr, zone) -%}
    {%- set absolute = '(?:[Zz]|UTC|GMT|:[0-9.]+ ?[+-][0-9]{2}(?::?[0-9]{2})?)[^0-9A-Za-z]*$'
        ~ '|^[^0-9A-Za-z]*[0-9]{10}(?:[0-9]{3}|[0-9]{6}|[0-9]{9}|[.][0-9]+)?[^0-9A-Za-z]*$' -%}
    case
        when {{ regexp_matches(expr, '^' ~ valid_wall_time_pattern() ~ '$') }}
            then {{ to_utc(null_if_epoch(cast_utc_timestamp(expr)), zone) }}
        else {{ to_utc(
            normalize_timestamp(expr),
            'case when ' ~ regexp_matches(expr, absolute) ~ " then 'UTC' else " ~ zone ~ ' end'
        ) }}
    end
{%- endmacro %}
