with

lines as (

    select * from {{ ref('record_order_lines') }}

),

orders as (

    select * from {{ ref('orders') }}

),

counted as (

    select
        lines.order_line_id,
        lines.order_id,
        orders.customer_id,
        lines.product_id,
        orders.order_type,
        orders.order_date,
        lines.quantity,
        lines.unit_price,
        lines.discount_amount,
        lines.currency,
        -- A line counts when its order does.
        cast(
            case when orders.status = 'completed' then lines.net_amount else 0 end
            as decimal(18, 4)
        ) as net_amount,
        orders.order_id is null as is_orphan,
        lines.source_name,
        lines.loaded_at

    from lines

    left join orders
        on lines.order_id = orders.order_id

),

rates as (

    select * from {{ ref('int_marts__exchange_rates') }}

),

final as (

    select
        counted.order_line_id,
        counted.order_id,
        counted.customer_id,
        counted.product_id,
        counted.order_type,
        counted.order_date,
        counted.quantity,
        counted.unit_price,
        counted.discount_amount,
        counted.currency,
        counted.net_amount,
        {{ money_in_reporting_currency('counted.net_amount', 'rates.rate') }}
            as net_amount_reporting,
        counted.is_orphan,
        counted.source_name,
        counted.loaded_at

    from counted

    left join rates
        on
            counted.currency = rates.currency
            and counted.order_date >= rates.valid_from
            and counted.order_date < rates.valid_until

)

select * from final
