{% macro email_local_part(expr) -%}
    {{ regexp_extract(expr, '^[^@]+') }}
{%- endmacro %}
