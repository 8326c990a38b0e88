-- Independent of how decisions are unioned: under an address from which somebody has unsubscribed
-- nothing is granted that was not granted afterwards.
{{ config(meta={'dagster': {'ref': {'name': 'contact_consents'}}}) }}

with

unsubscribes as (

    select * from {{ ref('stg_email__unsubscribes') }}

),

subscribers as (

    select * from {{ ref('stg_email__subscribers') }}

),

consents as (

    select * from {{ ref('contact_consents') }}

    where
        is_granted
        and identifier_type = 'email'
        and purpose = 'marketing'
        and channel = 'email'

)

select
    consents.consent_event_id,
    unsubscribes.event_key

from consents

inner join subscribers
    on consents.identifier_value = subscribers.email

inner join unsubscribes
    on subscribers.record_key = unsubscribes.record_key

where
    unsubscribes.occurred_at >= consents.decided_at
    -- An impossible time counts from its arrival.
    and unsubscribes.occurred_at <= {{ dbt.dateadd('day', 1, 'unsubscribes.loaded_at') }}
