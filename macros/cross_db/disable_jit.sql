{% macro disable_jit() -%}
    {{ return(adapter.dispatch('disable_jit', 'cdp')()) }}
{%- endmacro %}

{% macro default__disable_jit() %}{% endmacro %}

{# PostgreSQL took 60 s to compile the series of lifetime value and 1 s to run it. #}
{% macro postgres__disable_jit() -%}
    set local jit = off
{%- endmacro %}
