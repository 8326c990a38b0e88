{# PostgreSQL merges a subquery into the query around it and computes its columns again wherever
   they are used. Comparing 120,000 pairs of forms took it 80 s instead of 3 s. #}
{% macro computed_once() -%}
    {{ return(adapter.dispatch('computed_once', 'cdp')()) }}
{%- endmacro %}

{% macro default__computed_once() %}{% endmacro %}

{% macro postgres__computed_once() -%}
    offset 0
{%- endmacro %}
