-- A level without a row would weigh nothing, and a row without a level would be trained in vain.
with

identity_weights as (

    select * from {{ ref('identity_weights') }}

),

levels as (

    {% for name, comparison in form_comparisons().items() %}
        {% for level in comparison.levels %}
            select
                '{{ name }}' as comparison,
                '{{ level.level }}' as level
            union all
        {% endfor %}
        select
            '{{ name }}' as comparison,
            'other' as level
            {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    levels.comparison as comparison_without_weight,
    levels.level as level_without_weight,
    identity_weights.comparison as comparison_unknown,
    identity_weights.level as level_unknown

from levels

full outer join identity_weights
    on
        levels.comparison = identity_weights.comparison
        and levels.level = identity_weights.level

where
    levels.level is null
    or identity_weights.level is null
