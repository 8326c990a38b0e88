{# Postgres compares text by the locale of the database, everything else by bytes; and a column
   that kept another collation than its neighbours could not be joined to them. #}
{% macro binary_min(expression, window='') -%}
    {{ return(adapter.dispatch('binary_min', 'cdp')(expression, window)) }}
{%- endmacro %}

{% macro default__binary_min(expression, window) -%}
    min({{ expression }}) {{ window }}
{%- endmacro %}

{% macro postgres__binary_min(expression, window) -%}
    (min(({{ expression }}) collate "C") {{ window }}) collate "default"
{%- endmacro %}
