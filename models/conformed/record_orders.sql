with

versions as (

    {{ union_contributors('record_orders') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='order_id',
        order_by=['loaded_at desc'],
        content=['net_amount', 'gross_amount', 'status', 'record_key', 'ordered_at']
    ) }}

),

-- A return is booked on an order, not on a person: it belongs to whoever bought.
with_buyer as (

    select
        newest.order_id,
        newest.source_name,
        newest.source_table,
        newest.channel,
        newest.order_type,
        newest.original_order_id,
        newest.status,
        newest.ordered_at,
        newest.order_date,
        newest.currency,
        newest.gross_amount,
        newest.discount_amount,
        newest.net_amount,
        newest.campaign_key,
        newest.loaded_at,
        coalesce(newest.record_key, originals.record_key) as record_key,
        newest.version_count

    from newest

    left join newest as originals
        on newest.original_order_id = originals.order_id

),

final as (

    select
        order_id,
        record_key,
        source_name,
        source_table,
        channel,
        order_type,
        original_order_id,
        status,
        ordered_at,
        order_date,
        currency,
        gross_amount,
        discount_amount,
        net_amount,
        campaign_key,
        loaded_at,
        version_count

    from with_buyer

)

select * from final
