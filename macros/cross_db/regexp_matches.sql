{% macro regexp_matches(expr, pattern) %}
    {{- return(adapter.dispatch('regexp_matches', 'cdp')(expr, pattern)) -}}
{% endmacro %}

{% macro default__regexp_matches(expr, pattern) -%}
    regexp_like({{ expr }}, {{ text_literal(pattern) }})
{%- endmacro %}

{% macro duckdb__regexp_matches(expr, pattern) -%}
    regexp_matches({{ expr }}, {{ text_literal(pattern) }})
{%- endmacro %}

{% macro postgres__regexp_matches(expr, pattern) -%}
    ({{ expr }} ~ {{ text_literal(pattern) }})
{%- endmacro %}

{# Snowflake's regexp_like anchors at both ends by itself. #}
{% macro snowflake__regexp_matches(expr, pattern) -%}
    (regexp_instr({{ expr }}, {{ text_literal(pattern) }}) > 0)
{%- endmacro %}

{% macro bigquery__regexp_matches(expr, pattern) -%}
    regexp_contains({{ expr }}, {{ text_literal(pattern) }})
{%- endmacro %}
