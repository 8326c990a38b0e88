{% macro email_domain(expr) -%}
    {{ regexp_extract(expr, '@([^@]+)$', 1) }}
{%- endmacro %}
