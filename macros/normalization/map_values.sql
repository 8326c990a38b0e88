{% macro map_values(expr, mapping) -%}
    {{- bind_value('mapped_word', plain_word(expr), map_plain_values('mapped_word', mapping)) -}}
{%- endmacro %}
