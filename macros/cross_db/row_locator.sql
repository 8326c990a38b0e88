{# What finds a row again within one transaction. Deleting by it spares a second reading of
   millions of texts. #}
{% macro row_locator(key_columns) -%}
    {{ return(adapter.dispatch('row_locator', 'cdp')(key_columns)) }}
{%- endmacro %}

{% macro default__row_locator(key_columns) -%}
    {{ return(key_columns) }}
{%- endmacro %}

{% macro duckdb__row_locator(key_columns) -%}
    {{ return(['rowid']) }}
{%- endmacro %}

{% macro postgres__row_locator(key_columns) -%}
    {{ return(['ctid']) }}
{%- endmacro %}
