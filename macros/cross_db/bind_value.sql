{% macro bind_value(name, expr, body) %}
    {{- return(adapter.dispatch('bind_value', 'cdp')(name, expr, body)) -}}
{% endmacro %}

{# `offset 0` keeps the planner from pasting the expression back in. #}
{% macro default__bind_value(name, expr, body) -%}
    (select {{ body }} from (select {{ expr }} as {{ name }} offset 0) as bound_{{ name }})
{%- endmacro %}

{% macro duckdb__bind_value(name, expr, body) -%}
    list_transform([{{ expr }}], lambda {{ name }}: {{ body }})[1]
{%- endmacro %}

{% macro spark__bind_value(name, expr, body) -%}
    transform(array({{ expr }}), {{ name }} -> {{ body }})[0]
{%- endmacro %}

{% macro bigquery__bind_value(name, expr, body) -%}
    (select {{ body }} from (select {{ expr }} as {{ name }}) as bound_{{ name }})
{%- endmacro %}

{% macro snowflake__bind_value(name, expr, body) -%}
    (select {{ body }} from (select {{ expr }} as {{ name }}) as bound_{{ name }})
{%- endmacro %}
