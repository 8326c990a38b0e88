-- Every decision of a person about a purpose, with the time from which it counts.
-- Permission and refusal are not symmetric: when in doubt, a grant is no grant, and a
-- refusal is one.

{% set as_of = as_of_timestamp() %}
{% set text = dbt.type_string() %}
{% set is_refusal = "coalesce(status, '') in ('denied', 'withdrawn', 'opted_out')" %}

with

consent_events as (

    select * from {{ ref('consent_events') }}

),

privacy_requests as (

    select * from {{ ref('privacy_requests') }}

),

privacy_request_effects as (

    select * from {{ ref('privacy_request_effects') }}

),

decisions as (

    select
        consent_event_id,
        identifier_type,
        identifier_value,
        purpose,
        channel,
        status,
        lawful_basis,
        collected_by,
        captured_at,
        coalesce(received_at, loaded_at) as received_at,
        coalesce(has_bad_time, true) as has_bad_time

    from consent_events

    union all

    -- An opt-out handed in at the privacy desk is a decision like any other.
    select
        'privacy_request:' || privacy_requests.request_id as consent_event_id,
        privacy_requests.identifier_type,
        privacy_requests.identifier_value,
        privacy_request_effects.refused_purpose as purpose,
        cast('all' as {{ text }}) as channel,
        cast('opted_out' as {{ text }}) as status,
        cast('privacy_request' as {{ text }}) as lawful_basis,
        cast('privacy' as {{ text }}) as collected_by,
        privacy_requests.requested_at as captured_at,
        privacy_requests.loaded_at as received_at,
        privacy_requests.requested_at is null
        or privacy_requests.requested_at
        > {{ dbt.dateadd('day', 1, 'privacy_requests.loaded_at') }} as has_bad_time

    from privacy_requests

    inner join privacy_request_effects
        on privacy_requests.request_type = privacy_request_effects.request_type

    where
        privacy_request_effects.refused_purpose is not null
        and (privacy_requests.is_verified or not privacy_request_effects.must_be_verified)

),

graded as (

    select
        consent_event_id,
        identifier_type,
        identifier_value,
        -- A refusal that names no purpose or no channel is one for all of them.
        coalesce(purpose, case when {{ is_refusal }} then 'all' else 'unknown' end) as purpose,
        coalesce(channel, case when status = 'granted' then 'unknown' else 'all' end) as channel,
        lawful_basis,
        collected_by,
        case
            when status in ('granted', 'denied', 'withdrawn', 'opted_out') then status
            else 'unknown'
        end as status,
        {{ is_refusal }} as is_refusal,
        -- A grant counts from before the business date; a refusal from when we know it.
        coalesce(
            status = 'granted' and not has_bad_time and captured_at < {{ as_of }}, false
        ) as is_grant,
        case when has_bad_time then received_at else captured_at end as decided_at

    from decisions

    where identifier_value is not null

)

select * from graded
