-- By what rows of a person are known who is about to be erased. Never stored.

with

ready as (

    select
        request_id,
        customer_id

    from {{ ref('erasure_requests') }}

    where status = 'ready'

),

held as (

    select * from {{ ref('int_profiles__identifiers_held') }}

    where is_own

),

own_records as (

    select
        ready.request_id,
        ready.customer_id,
        'record' as identifier_type,
        identities.record_key as identifier_value

    from ready

    inner join {{ ref('customer_identities') }} as identities
        on ready.customer_id = identities.customer_id

),

-- What another known customer holds, too, tells nobody's rows from theirs: a family's phone.
own_identifiers as (

    select
        ready.request_id,
        ready.customer_id,
        held.identifier_type,
        held.identifier_value

    from ready

    inner join held
        on ready.customer_id = held.customer_id

    where
        not exists (
            select 1
            from held as others
            where
                others.identifier_type = held.identifier_type
                and others.identifier_value = held.identifier_value
                and others.customer_id != held.customer_id
                and not others.is_anonymous
        )

),

-- Third parties know people by the hash of their address.
hashed_emails as (

    select
        request_id,
        customer_id,
        'email_sha256' as identifier_type,
        {{ sha256_hex('identifier_value') }} as identifier_value

    from own_identifiers

    where identifier_type = 'email'

)

select * from own_records
union all
select * from own_identifiers
union all
select * from hashed_emails
