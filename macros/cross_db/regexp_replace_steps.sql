{% macro regexp_replace_steps(expr, steps) %}
    {%- set ns = namespace(text=expr) -%}
    {%- for pattern, replacement in steps -%}
        {%- set ns.text = regexp_replace_all(ns.text, pattern, replacement) -%}
    {%- endfor -%}
    {{- return(ns.text) -}}
{% endmacro %}
