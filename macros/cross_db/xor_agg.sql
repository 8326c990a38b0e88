{# A checksum that any order, and any parts put together, give alike. Unlike a sum it cannot
   overflow. #}
{% macro xor_agg(expression) -%}
    {{ return(adapter.dispatch('xor_agg', 'cdp')(expression)) }}
{%- endmacro %}

{% macro default__xor_agg(expression) -%}
    bit_xor({{ expression }})
{%- endmacro %}

{% macro snowflake__xor_agg(expression) -%}
    bitxor_agg({{ expression }})
{%- endmacro %}
