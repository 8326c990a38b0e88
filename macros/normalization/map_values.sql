{% macro map_values(expr, mapping) -%}
    {%- set words = strip_accents('plain_word') -%}
    {{- bind_value('plain_word', nfc(lower_text(clean_text(expr))), map_plain_values(words, mapping)) -}}
{%- endmacro %}
