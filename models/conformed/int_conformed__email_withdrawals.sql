-- Who leaves the newsletter has withdrawn consent, wherever it was done: by the link in a mail,
-- which is an event, or in the tool, which changes the status of the subscriber. A click without
-- a readable date is no event, but it is a withdrawal.

with

subscribers as (

    select * from {{ ref('stg_email__subscribers') }}

    where record_key is not null

),

unsubscribes as (

    select * from {{ ref('stg_email__unsubscribes') }}

    where record_key is not null

),

-- Every address that the tool has had of a subscriber: whoever leaves, leaves with all of them.
addresses as (

    select
        record_key,
        email,
        row_number() over (
            partition by record_key
            order by min(coalesce(updated_at, loaded_at)), {{ binary_order('email') }}
        ) as address_number

    from subscribers

    where email is not null

    group by record_key, email

),

-- A status counts from the version that brought it. Counted from each version that still has it,
-- a change of the name would undo a new grant.
versions as (

    select
        *,
        lag(status) over (
            partition by record_key
            order by coalesce(updated_at, loaded_at), loaded_at, {{ binary_order('status') }}
        ) as previous_status

    from subscribers

),

decisions as (

    select
        record_key,
        cast(null as {{ dbt.type_string() }}) as email,
        'unsubscribes:' || coalesce(event_key, record_key) as decision_key,
        'withdrawn' as status,
        occurred_at as captured_at,
        loaded_at

    from unsubscribes

    union all

    select
        record_key,
        email,
        'subscribers:' || subscriber_id || ':' || cast(
            row_number() over (
                partition by record_key
                order by coalesce(updated_at, loaded_at), loaded_at, {{ binary_order('status') }}
            ) as {{ dbt.type_string() }}
        ) as decision_key,
        -- Nobody decided that a mailbox is gone: it ends the grant of that address, and closes no
        -- other address of the person.
        case when status = 'bounced' then 'unknown' else 'withdrawn' end as status,
        updated_at as captured_at,
        loaded_at

    from versions

    where
        status in ('unsubscribed', 'complained', 'bounced')
        and (previous_status is null or previous_status != status)

)

select
    'email:' || decisions.decision_key || ':'
    || cast(coalesce(addresses.address_number, 0) as {{ dbt.type_string() }}) as consent_event_id,
    -- By the address, so that a later grant of it counts; by the key where there is none.
    case
        when addresses.email is null then 'email_subscriber_id' else 'email'
    end as identifier_type,
    coalesce(
        addresses.email, substr(decisions.record_key, length('email') + 2)
    ) as identifier_value,
    'marketing' as purpose,
    'email' as channel,
    decisions.status,
    'consent' as lawful_basis,
    decisions.captured_at,
    decisions.loaded_at as received_at,
    coalesce(
        decisions.captured_at > {{ dbt.dateadd('day', 1, 'decisions.loaded_at') }},
        true
    ) as has_bad_time,
    'email' as collected_by,
    -- No table of the source: the rows of two, and several for one.
    'email.withdrawals' as source_table,
    decisions.loaded_at

from decisions

left join addresses
    on
        decisions.record_key = addresses.record_key
        and (decisions.status = 'withdrawn' or decisions.email = addresses.email)
