-- The household is named after the member who was loaded first, so it keeps its id while that
-- customer is there.

with

households_resolved as (

    select * from {{ ref('int_identity__households_resolved') }}

),

customer_identities as (

    select
        customer_id,
        min(first_loaded_at) as first_loaded_at

    from {{ ref('customer_identities') }}

    group by customer_id

),

household_evidence as (

    select
        customer_id,
        max(case when evidence_type = 'address' then 1 else 0 end) as has_address,
        max(case when evidence_type != 'address' then 1 else 0 end) as has_contact

    from {{ ref('int_identity__household_evidence') }}

    group by customer_id

),

named as (

    select
        households_resolved.customer_id,
        substr({{ sha256_hex("'household:' || first_value(households_resolved.customer_id) over (
            partition by households_resolved.first_customer_id
            order by
                case when customer_identities.first_loaded_at is null then 1 else 0 end,
                customer_identities.first_loaded_at,
                " ~ binary_order('households_resolved.customer_id') ~ "
            rows between unbounded preceding and unbounded following
        )") }}, 1, 32) as household_id,
        count(*) over (partition by households_resolved.first_customer_id) as member_count,
        case
            when household_evidence.customer_id is null then 'alone'
            when household_evidence.has_address = 1 and household_evidence.has_contact = 1
                then 'address_and_contact'
            when household_evidence.has_address = 1 then 'address'
            else 'contact'
        end as evidence

    from households_resolved

    inner join customer_identities
        on households_resolved.customer_id = customer_identities.customer_id

    left join household_evidence
        on households_resolved.customer_id = household_evidence.customer_id

)

select * from named
