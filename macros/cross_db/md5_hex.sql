{% macro md5_hex(expr) -%}
    {{ dbt.hash(expr) }}
{%- endmacro %}
