-- A group without a rule would leave its columns null for everybody.
with

rules as (

    select * from {{ ref('survivorship_rules') }}

),

attribute_groups as (

    {% for group in attribute_groups() %}
        select '{{ group }}' as attribute_group
                {{ 'union all' if not loop.last }}
    {% endfor %}

)

select
    attribute_groups.attribute_group as group_without_rule,
    rules.attribute_group as rule_without_group

from attribute_groups

full outer join rules
    on attribute_groups.attribute_group = rules.attribute_group

where
    attribute_groups.attribute_group is null
    or rules.attribute_group is null
