{# Whether a named subquery that is read several times is computed once. Spark puts its text where it
   is read: nine jumps, each of which reads the one before twice, would be five hundred. #}
{% macro computes_ctes_once() %}
    {{ return(adapter.dispatch('computes_ctes_once', 'cdp')()) }}
{% endmacro %}

{% macro default__computes_ctes_once() %}
    {{ return(false) }}
{% endmacro %}

{% macro duckdb__computes_ctes_once() %}
    {{ return(true) }}
{% endmacro %}

{% macro postgres__computes_ctes_once() %}
    {{ return(true) }}
{% endmacro %}
