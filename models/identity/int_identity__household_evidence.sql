-- What customers of one household share: an address, a mailbox or a telephone, and the last
-- name. Whoever shares more than a family does (a tower block, a firm) shares nothing.

with

customer_records as (

    select * from {{ ref('customer_records') }}

    where not is_anonymous

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

    where last_name_key is not null

),

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where
        rejection_reason is null
        and identifier_type in ('email', 'phone')

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

    where not is_anonymous

),

addresses as (

    select
        record_key,
        postcode,
        {{ name_key('street') }} as street_key,
        {{ regexp_replace_all('street', '[^0-9]', '') }} as house_number

    from customer_records

    where
        street is not null
        and postcode is not null

),

held as (

    select
        record_key,
        'address' as evidence_type,
        postcode || ':' || street_key || ':' || house_number as evidence_value

    from addresses

    -- A street without a number is a neighbourhood.
    where
        street_key is not null
        and house_number != ''

    union all

    select
        record_key,
        identifier_type as evidence_type,
        identifier_value as evidence_value

    from identifiers_validated

),

named as (

    select distinct
        customer_identities.customer_id,
        held.evidence_type,
        held.evidence_type || ':' || held.evidence_value || ':' || records_keyed.last_name_key
            as evidence_key

    from held

    inner join records_keyed
        on held.record_key = records_keyed.record_key

    inner join customer_identities
        on held.record_key = customer_identities.record_key

),

shared as (

    select
        customer_id,
        evidence_type,
        evidence_key,
        count(*) over (partition by evidence_key) as customer_count

    from named

)

select
    customer_id,
    evidence_type,
    evidence_key

from shared

where customer_count between 2 and {{ var('identity_max_customers_per_household') }}
