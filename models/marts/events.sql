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

shared_browser_users as (

    select * from {{ ref('shared_browser_users') }}

),

final as (

    select
        events.event_id,
        coalesce(shared_browser_users.customer_id, identities.customer_id) as customer_id,
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

    -- Who was logged in on a browser of several people when it happened.
    left join shared_browser_users
        on
            identities.customer_id = shared_browser_users.browser_customer_id
            and events.occurred_at >= shared_browser_users.used_from
            and (
                shared_browser_users.used_until is null
                or events.occurred_at < shared_browser_users.used_until
            )
            and not events.has_bad_time

)

select * from final
