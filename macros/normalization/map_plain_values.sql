{% macro map_plain_values(expr, mapping) -%}
    case {{ expr }}
        {%- for code, spellings in mapping.items() -%}
        {%- for spelling in spellings %} when {{ text_literal(spelling) }} then {{ text_literal(code) }}{% endfor -%}
        {%- endfor %}
    end
{%- endmacro %}
