{# The list is explicit (vars.planned_syncs), so a plan is never in the union by accident. #}
{% macro union_plans() %}
    {%- for model in var('planned_syncs') %}
    select * from {{ ref(model) }}
    {%- if not loop.last %}

    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
