-- Whose are and were identifiers: an address of an older version of a record still stands in
-- decisions and calls of that time.

with

identities as (

    select * from {{ ref('customer_identities') }}

),

versions as (

    {{ union_contributors('customer_records') }}

),

rejected as (

    select
        identifier_type,
        identifier_value

    from {{ ref('int_identity__identifiers_validated') }}

    -- A value that was taken off a wrong record is somebody's.
    where rejection_reason is not null and rejection_reason != 'detached'

),

addresses as (

    select
        record_key,
        'email' as identifier_type,
        email as identifier_value

    from versions

    where email is not null

    union distinct

    select
        record_key,
        'phone' as identifier_type,
        phone as identifier_value

    from versions

    where phone is not null

),

held as (

    select
        identities.customer_id,
        identities.is_anonymous,
        addresses.identifier_type,
        addresses.identifier_value

    from addresses

    inner join identities
        on addresses.record_key = identities.record_key

    where
        not exists (
            select 1
            from rejected
            where
                rejected.identifier_type = addresses.identifier_type
                and rejected.identifier_value = addresses.identifier_value
        )

    union distinct

    select
        customer_id,
        is_anonymous,
        identifier_type,
        identifier_value

    from {{ ref('int_profiles__identifiers_held') }}

    where is_own

)

select * from held
