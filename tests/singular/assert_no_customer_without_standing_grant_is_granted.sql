-- Independent of the models' ranking: a granted state has a grant, and no refusal at or
-- after it under any identifier of the person.
{{ config(meta={'dagster': {'ref': {'name': 'customer_consents'}}}) }}

with

consents as (

    select * from {{ ref('customer_consents') }}
    where is_granted

),

identifiers as (

    select * from {{ ref('int_profiles__identifiers_held') }}

),

events as (

    select * from {{ ref('consent_events') }}
    where status in ('denied', 'withdrawn', 'opted_out')

)

select
    consents.customer_id,
    consents.purpose,
    consents.channel

from consents

inner join identifiers
    on consents.customer_id = identifiers.customer_id

inner join events
    on
        identifiers.identifier_type = events.identifier_type
        and identifiers.identifier_value = events.identifier_value
        -- A refusal without a purpose or a channel is one for all of them.
        and coalesce(events.purpose, 'all') in (consents.purpose, 'all')
        and coalesce(events.channel, 'all') in (consents.channel, 'all')

where
    not events.has_bad_time
    and events.captured_at >= consents.decided_at
