{# One text for every place that asks whether a group can be one person by its keys. #}
{% macro groups_with_too_many_values(members, group_key) -%}
    select distinct values_held.{{ group_key }}

    from (
        select
            members.{{ group_key }},
            identifiers.identifier_type,
            count(distinct identifiers.identifier_value) as value_count

        from {{ members }} as members

        inner join {{ ref('int_identity__identifiers_validated') }} as identifiers
            on members.record_key = identifiers.record_key

        where identifiers.rejection_reason is null

        group by
            members.{{ group_key }},
            identifiers.identifier_type
    ) as values_held

    inner join {{ ref('identifier_rules') }} as identifier_rules
        on values_held.identifier_type = identifier_rules.identifier_type

    where values_held.value_count > identifier_rules.max_values_per_customer
{%- endmacro %}
