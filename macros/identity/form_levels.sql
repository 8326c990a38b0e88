{# A column per comparison with the level that two forms `l` and `r` reach; null where one of them
   says nothing, `other` where they disagree. #}
{% macro form_levels() -%}
    {%- for name, comparison in form_comparisons().items() %}
    case
        when {{ comparison.missing }} then null
        {%- for level in comparison.levels %}
        when {{ level.condition }} then '{{ level.level }}'
        {%- endfor %}
        else 'other'
    end as {{ name }}_level
    {{- ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
