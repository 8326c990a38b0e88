-- What attaches a browser to the known customer it belongs to: a log-in or an address that a
-- known record holds too. One known record per value is enough to show it.

with

customer_identities as (

    select * from {{ ref('customer_identities') }}

    where not is_anonymous

),

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where rejection_reason is null

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

    where
        may_merge
        and not is_anonymous

),

held as (

    select
        customer_identities.customer_id,
        identifiers_validated.record_key,
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value,
        identifiers_validated.is_anonymous_record

    from identifiers_validated

    inner join identifier_rules
        on identifiers_validated.identifier_type = identifier_rules.identifier_type

    inner join customer_identities
        on identifiers_validated.record_key = customer_identities.record_key

),

first_holders as (

    select
        customer_id,
        identifier_type,
        identifier_value,
        {{ binary_min('record_key') }} as record_key

    from held

    where not is_anonymous_record

    group by
        customer_id,
        identifier_type,
        identifier_value

)

select distinct
    first_holders.record_key as left_record_key,
    held.record_key as right_record_key,
    held.identifier_type,
    held.identifier_value

from held

inner join first_holders
    on
        held.customer_id = first_holders.customer_id
        and held.identifier_type = first_holders.identifier_type
        and held.identifier_value = first_holders.identifier_value

where held.is_anonymous_record
