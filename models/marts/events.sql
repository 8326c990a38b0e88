-- A view: a merge of two customers moves their events without rewriting any of them.
with

events as (

    select * from {{ ref('record_events') }}

),

identities as (

    select
        record_key,
        customer_id

    from {{ ref('customer_identities') }}

),

final as (

    select
        events.event_id,
        identities.customer_id,
        events.record_key,
        events.login_id,
        events.source_name,
        events.channel,
        events.event_type,
        events.occurred_at,
        events.received_at,
        events.has_bad_time,
        events.campaign_key,
        events.product_id,
        events.page_url,
        events.properties,
        events.loaded_at

    from events

    left join identities
        on events.record_key = identities.record_key

)

select * from final
