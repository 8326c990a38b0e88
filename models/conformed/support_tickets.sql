with

versions as (

    {{ union_contributors('support_tickets') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='ticket_id',
        order_by=['loaded_at desc'],
        content=['status', 'closed_at', 'record_key']
    ) }}

),

final as (

    select
        ticket_id,
        record_key,
        status,
        priority,
        channel,
        order_id,
        opened_at,
        closed_at,
        is_open,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
