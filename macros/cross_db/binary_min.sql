{# Postgres compares text by the locale of the database, everything else by bytes; and a column
   that kept another collation than its neighbours could not be joined to them. #}
{% macro binary_min(expression) -%}
    {{ return(adapter.dispatch('binary_min', 'cdp')(expression)) }}
{%- endmacro %}

{% macro default__binary_min(expression) -%}
    min({{ expression }})
{%- endmacro %}

{% macro postgres__binary_min(expression) -%}
    min(({{ expression }}) collate "C") collate "default"
{%- endmacro %}
