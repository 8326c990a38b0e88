{% macro decode_percent(expr) -%}
    replace(replace({{ expr }}, '+', ' '), '%20', ' ')
{%- endmacro %}
