{% macro groups_with_too_many_values(members, group_key) -%}
    with

    values_held as (

        select
            members.{{ group_key }},
            identifiers.identifier_type,
            identifiers.identifier_value,
            min(coalesce(identifiers.observed_at, identifiers.loaded_at)) as first_observed_at,
            count(*) over (
                partition by members.{{ group_key }}, identifiers.identifier_type
            ) as value_count

        from {{ members }} as members

        inner join {{ ref('int_identity__identifiers_validated') }} as identifiers
            on members.record_key = identifiers.record_key

        where identifiers.rejection_reason is null

        group by
            members.{{ group_key }},
            identifiers.identifier_type,
            identifiers.identifier_value

    ),

    too_many as (

        select
            values_held.*,
            identifier_rules.max_values_per_customer,
            identifier_rules.values_window_days

        from values_held

        inner join {{ ref('identifier_rules') }} as identifier_rules
            on values_held.identifier_type = identifier_rules.identifier_type

        where values_held.value_count > identifier_rules.max_values_per_customer

    ),

    too_many_in_window as (

        select last_value_held.{{ group_key }}

        from too_many as last_value_held

        inner join too_many as value_held
            on
                last_value_held.{{ group_key }} = value_held.{{ group_key }}
                and last_value_held.identifier_type = value_held.identifier_type
                and value_held.first_observed_at <= last_value_held.first_observed_at
                and value_held.first_observed_at > {{ dbt.dateadd(
                    'day', '-last_value_held.values_window_days', 'last_value_held.first_observed_at'
                ) }}

        where last_value_held.values_window_days is not null

        group by
            last_value_held.{{ group_key }},
            last_value_held.identifier_type,
            last_value_held.identifier_value,
            last_value_held.max_values_per_customer

        having count(*) > last_value_held.max_values_per_customer

    )

    select {{ group_key }} from too_many where values_window_days is null
    union
    select {{ group_key }} from too_many_in_window
{%- endmacro %}
