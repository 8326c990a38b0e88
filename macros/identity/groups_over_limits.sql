{# One text for every place that asks whether a group can be one person by its size and its keys. #}
{% macro groups_over_limits(members, group_key) -%}
    select
        {{ group_key }},
        'too_many_records' as reason
    from {{ members }}
    group by {{ group_key }}
    having count(*) > {{ var('identity_max_records_per_customer') }}
    union all
    select
        {{ group_key }},
        'too_many_values' as reason
    from ({{ groups_with_too_many_values(members, group_key) }}) as held
{%- endmacro %}
