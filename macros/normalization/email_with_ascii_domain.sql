{% macro email_with_ascii_domain(expr) -%}
    case
        when {{ regexp_matches(expr, '@[ -~]*$') }} then {{ expr }}
        else {{ email_local_part(expr) }} || '@' || {{ domain_to_ascii(email_domain(expr)) }}
    end
{%- endmacro %}
