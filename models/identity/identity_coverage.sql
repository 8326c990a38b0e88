-- How far each type of identifier carries: whom it names, and how much of it is no key.

with

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

totals as (

    select count(distinct customer_id) as customer_count

    from customer_identities

),

held as (

    select
        identifiers_validated.identifier_type,
        count(*) as identifier_count,
        count(distinct identifiers_validated.identifier_value) as value_count,
        sum(case when identifiers_validated.rejection_reason is null then 0 else 1 end)
            as rejected_count,
        count(distinct case
            when identifiers_validated.rejection_reason is null
                then customer_identities.customer_id
        end) as customer_count

    from identifiers_validated

    inner join customer_identities
        on identifiers_validated.record_key = customer_identities.record_key

    group by identifiers_validated.identifier_type

),

coverage as (

    select
        identifier_rules.identifier_type,
        cast(coalesce(held.identifier_count, 0) as {{ dbt.type_bigint() }}) as identifier_count,
        cast(coalesce(held.value_count, 0) as {{ dbt.type_bigint() }}) as value_count,
        cast(coalesce(held.rejected_count, 0) as {{ dbt.type_bigint() }}) as rejected_count,
        cast(coalesce(held.customer_count, 0) as {{ dbt.type_bigint() }}) as customer_count,
        cast(
            coalesce(held.customer_count, 0) * 1.0 / nullif(totals.customer_count, 0)
            as decimal(18, 4)
        ) as customer_share

    from identifier_rules

    cross join totals

    left join held
        on identifier_rules.identifier_type = held.identifier_type

)

select * from coverage
