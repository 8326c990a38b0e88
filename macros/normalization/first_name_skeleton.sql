{% macro first_name_skeleton(expr) -%}
    {%- set spelled = "replace(replace(" ~ name_key(expr) ~ ", 'ph', 'f'), 'y', 'i')" -%}
    {%- set ns = namespace(text="substring(spelled_name, 1, 1) || "
        ~ regexp_replace_all('substring(spelled_name, 2)', '[aeiouh]+', '')) -%}
    {%- for letter in 'bcdfgjklmnpqrstvwxz' -%}
        {%- set ns.text = 'replace(' ~ ns.text ~ ", '" ~ letter * 2 ~ "', '" ~ letter ~ "')" -%}
    {%- endfor -%}
    {{- bind_value('spelled_name', spelled, ns.text) -}}
{%- endmacro %}
