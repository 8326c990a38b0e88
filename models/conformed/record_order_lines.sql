with

versions as (

    {{ union_contributors('record_order_lines') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='order_line_id',
        order_by=['loaded_at desc'],
        content=['net_amount', 'quantity', 'product_id', 'order_id']
    ) }}

),

orders as (

    select
        order_id,
        order_type,
        currency

    from {{ ref('record_orders') }}

),

signed as (

    select
        newest.order_line_id,
        newest.order_id,
        newest.product_id,
        newest.unit_price,
        newest.discount_amount,
        orders.currency,
        newest.source_name,
        newest.source_table,
        newest.loaded_at,
        newest.version_count,
        -- Some tills write refunds as positive lines: the type of the order decides.
        case
            when orders.order_type = 'return' then -abs(newest.quantity)
            else newest.quantity
        end as quantity,
        -- PostgreSQL's abs() forgets the scale.
        cast(
            case
                when orders.order_type = 'return' then -abs(newest.net_amount)
                else newest.net_amount
            end as decimal(18, 4)
        ) as net_amount

    from newest

    left join orders
        on newest.order_id = orders.order_id

),

final as (

    select
        order_line_id,
        order_id,
        product_id,
        quantity,
        unit_price,
        discount_amount,
        net_amount,
        currency,
        source_name,
        source_table,
        loaded_at,
        version_count

    from signed

)

select * from final
