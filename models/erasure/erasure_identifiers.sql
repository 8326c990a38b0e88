-- By what rows of a person are known who is about to be erased. Never stored.

with

ready as (

    select
        request_id,
        customer_id

    from {{ ref('erasure_requests') }}

    where status = 'ready'

),

identities as (

    select * from {{ ref('customer_identities') }}

),

held as (

    select * from {{ ref('int_erasure__identifiers_ever_held') }}

),

-- What another known customer holds or held, too, tells nobody's rows from theirs: a family's
-- phone. Unless they go as well.
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
                and others.customer_id not in (select ready.customer_id from ready)
                and not others.is_anonymous
        )

),

own_records as (

    select
        ready.request_id,
        ready.customer_id,
        identities.record_key

    from ready

    inner join identities
        on ready.customer_id = identities.customer_id

    union distinct

    -- Rows that name a record which never came: a replaced cookie, an account of a log-in.
    select
        request_id,
        customer_id,
        case identifier_type
            when 'crm_contact_id' then {{ record_key('crm', 'identifier_value') }}
            when 'shop_customer_id' then {{ record_key('shop', 'identifier_value') }}
            when 'loyalty_id' then {{ record_key('pos', 'identifier_value') }}
            when 'email_subscriber_id' then {{ record_key('email', 'identifier_value') }}
            when 'support_requester_id' then {{ record_key('support', 'identifier_value') }}
            when 'survey_respondent_id' then {{ record_key('survey', 'identifier_value') }}
            when 'cookie_id' then {{ record_key('web', 'identifier_value') }}
            when 'device_id' then {{ record_key('app', 'identifier_value') }}
        end as record_key

    from own_identifiers

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

select
    request_id,
    customer_id,
    'record' as identifier_type,
    record_key as identifier_value

from own_records

where record_key is not null

union all

select * from own_identifiers

union all

select * from hashed_emails
