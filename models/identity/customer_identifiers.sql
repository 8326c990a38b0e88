with

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where rejection_reason is null

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

identifiers as (

    select
        customer_identities.customer_id,
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value,
        min(identifiers_validated.observed_at) as first_observed_at,
        max(identifiers_validated.observed_at) as last_observed_at,
        count(*) as record_count

    from identifiers_validated

    inner join customer_identities
        on identifiers_validated.record_key = customer_identities.record_key

    group by
        customer_identities.customer_id,
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value

)

select * from identifiers
