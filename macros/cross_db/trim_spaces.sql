{% macro trim_spaces(expr) %}
    {{- return(adapter.dispatch('trim_spaces', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__trim_spaces(expr) -%}
    trim({{ expr }}, ' ')
{%- endmacro %}

{% macro spark__trim_spaces(expr) -%}
    trim({{ expr }})
{%- endmacro %}
