{# What finds a row again within one transaction. Deleting by it spares a second reading of
   millions of texts. #}
{% macro row_locator(key_column) -%}
    {{ return(adapter.dispatch('row_locator', 'cdp')(key_column)) }}
{%- endmacro %}

{% macro default__row_locator(key_column) -%}
    {{ key_column }}
{%- endmacro %}

{% macro duckdb__row_locator(key_column) -%}
    rowid
{%- endmacro %}

{% macro postgres__row_locator(key_column) -%}
    ctid
{%- endmacro %}
