{% macro lower_text(expr) %}
    {{- return(adapter.dispatch('lower_text', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__lower_text(expr) -%}
    {%- set dotted = "replace(" ~ expr ~ ", '\u0130', 'i\u0307')" -%}
    replace(lower({{ dotted }}), '{{ "\u03c2" }}', '{{ "\u03c3" }}')
{%- endmacro %}

{# The collation of the result is set back, or comparing it with a column would fail. #}
{% macro postgres__lower_text(expr) -%}
    {%- set lowered = 'lower((' ~ expr ~ ') collate "und-x-icu")' -%}
    (replace({{ lowered }}, '{{ "\u03c2" }}', '{{ "\u03c3" }}') collate "default")
{%- endmacro %}
