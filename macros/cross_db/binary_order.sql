{# Postgres sorts text by the locale of the database; everything else by bytes. #}
{% macro binary_order(expression) -%}
    {{ return(adapter.dispatch('binary_order', 'cdp')(expression)) }}
{%- endmacro %}

{% macro default__binary_order(expression) -%}
    {{ expression }}
{%- endmacro %}

{% macro postgres__binary_order(expression) -%}
    ({{ expression }}) collate "C"
{%- endmacro %}
