{# Horner form, unrolled: only + * / so that every engine can run it. #}
{% macro gauss_series(first, second, third, z, terms=64) -%}
    {%- set ns = namespace(expression='1.0') -%}
    {%- for step in range(terms) -%}
        {%- set j = terms - 1 - step -%}
        {%- set ns.expression -%}
            1.0 + ({{ first }} + {{ j }}) * ({{ second }} + {{ j }})
            / ({{ j + 1 }} * ({{ third }} + {{ j }})) * {{ z }} * ({{ ns.expression }})
        {%- endset -%}
    {%- endfor -%}
    ({{ ns.expression }})
{%- endmacro %}
