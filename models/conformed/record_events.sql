with

received as (

    {{ union_contributors('record_events') }}

),

-- The first of several copies counts: a retried upload does not move an event.
first_received as (

    {{ deduplicate(
        'received',
        key='event_id',
        order_by=['received_at', 'loaded_at'],
        content=['event_type', 'record_key', 'properties']
    ) }}

),

final as (

    select
        event_id,
        record_key,
        login_id,
        source_name,
        source_table,
        channel,
        event_type,
        occurred_at,
        received_at,
        has_bad_time,
        campaign_key,
        product_id,
        page_url,
        properties,
        loaded_at,
        version_count

    from first_received

)

select * from final
