{% macro email_with_ascii_domain(expr) -%}
    {{ expr }}
{%- endmacro %}
