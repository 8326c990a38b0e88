{% macro hex_to_bigint(expr) -%}
    {{ return(adapter.dispatch('hex_to_bigint', 'cdp')(expr)) }}
{%- endmacro %}

{% macro default__hex_to_bigint(expr) -%}
    cast('0x' || {{ expr }} as bigint)
{%- endmacro %}

{% macro postgres__hex_to_bigint(expr) -%}
    cast(cast('x' || {{ expr }} as bit(60)) as bigint)
{%- endmacro %}

{% macro spark__hex_to_bigint(expr) -%}
    cast(conv({{ expr }}, 16, 10) as bigint)
{%- endmacro %}

{% macro snowflake__hex_to_bigint(expr) -%}
    to_number({{ expr }}, 'XXXXXXXXXXXXXXX')
{%- endmacro %}
