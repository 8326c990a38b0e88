{% macro ends_in_vowel(column) -%}
    substr({{ column }}, length({{ column }}), 1) in ('a', 'e', 'i', 'o', 'u', 'y')
{%- endmacro %}
