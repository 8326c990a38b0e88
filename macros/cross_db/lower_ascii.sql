{% macro lower_ascii(expr) %}
    {{- return(adapter.dispatch('lower_ascii', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__lower_ascii(expr) -%}
    lower({{ expr }})
{%- endmacro %}

{# A Turkish database would lower I to dotless i. #}
{% macro postgres__lower_ascii(expr) -%}
    (lower(({{ expr }}) collate "C") collate "default")
{%- endmacro %}
