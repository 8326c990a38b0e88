{% macro hash_bigint(expr) %}
    {{- return(adapter.dispatch('hash_bigint', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__hash_bigint(expr) -%}
    cast(conv(substring(md5({{ expr }}), 1, 15), 16, 10) as bigint)
{%- endmacro %}

{% macro duckdb__hash_bigint(expr) -%}
    cast('0x' || left(md5({{ expr }}), 15) as bigint)
{%- endmacro %}

{% macro postgres__hash_bigint(expr) -%}
    cast(cast('x0' || left(md5({{ expr }}), 15) as bit(64)) as bigint)
{%- endmacro %}

{% macro snowflake__hash_bigint(expr) -%}
    to_number(left(md5({{ expr }}), 15), 'XXXXXXXXXXXXXXX')
{%- endmacro %}

{% macro bigquery__hash_bigint(expr) -%}
    cast(concat('0x', substr(to_hex(md5({{ expr }})), 1, 15)) as int64)
{%- endmacro %}
