{% macro local_to_utc(expr, zone) -%}
    case
        when {{ regexp_matches(expr, '[0-9][ ]?(?:[Zz]|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})[ ]*$|:[0-9.]+[+-][0-9]{2}$|^[ ]*[0-9.]{10,}[ ]*$') }}
            then {{ normalize_timestamp(expr) }}
        else {{ to_utc(normalize_timestamp(expr), zone) }}
    end
{%- endmacro %}
