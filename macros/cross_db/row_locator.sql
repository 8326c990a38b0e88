{# What finds a row again within one transaction. Deleting by it spares a second reading of
   millions of texts. A table of PostgreSQL may be partitioned, and a place is one in each part. #}
{% macro row_locator(key_columns, may_have_parts=false) -%}
    {{ return(adapter.dispatch('row_locator', 'cdp')(key_columns, may_have_parts)) }}
{%- endmacro %}

{% macro default__row_locator(key_columns, may_have_parts) -%}
    {{ return(key_columns) }}
{%- endmacro %}

{% macro duckdb__row_locator(key_columns, may_have_parts) -%}
    {{ return(['rowid']) }}
{%- endmacro %}

{% macro postgres__row_locator(key_columns, may_have_parts) -%}
    {{ return(['tableoid', 'ctid'] if may_have_parts else ['ctid']) }}
{%- endmacro %}
