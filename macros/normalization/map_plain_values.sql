{# One list per code: DuckDB looks a list up by hash, but repeats the tested expression for each
   "when" of a simple case. #}
{% macro map_plain_values(expr, mapping) -%}
    case
        {%- for code, spellings in mapping.items() %}
        {%- set literals = [] -%}
        {%- for spelling in spellings -%}
            {%- do literals.append(text_literal(spelling)) -%}
        {%- endfor %}
        when {{ expr }} in ({{ literals | join(', ') }}) then {{ text_literal(code) }}
        {%- endfor %}
    end
{%- endmacro %}
