{% macro subject_identifier_value(type, value) -%}
    case {{ subject_identifier_type(type) }}
        when 'email' then {{ normalize_email(value) }}
        when 'phone' then {{ normalize_phone(value, "'" ~ var('default_country') ~ "'") }}
        else {{ null_if_placeholder(value) }}
    end
{%- endmacro %}
