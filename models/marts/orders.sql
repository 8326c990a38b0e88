with

orders as (

    select * from {{ ref('record_orders') }}

),

identities as (

    select
        record_key,
        customer_id

    from {{ ref('customer_identities') }}

),

rates as (

    select * from {{ ref('int_marts__exchange_rates') }}

),

final as (

    select
        orders.order_id,
        identities.customer_id,
        orders.record_key,
        orders.source_name,
        orders.channel,
        orders.order_type,
        orders.original_order_id,
        orders.status,
        orders.ordered_at,
        orders.order_date,
        orders.currency,
        orders.gross_amount,
        orders.discount_amount,
        orders.net_amount,
        {{ money_in_reporting_currency('orders.net_amount', 'rates.rate') }}
            as net_amount_reporting,
        rates.rate as reporting_rate,
        -- By the day that orders are counted on: in Paris the 31st ends at 23:00 UTC.
        orders.order_date >= {{ as_of_date() }} as is_future,
        orders.campaign_key,
        orders.loaded_at

    from orders

    left join identities
        on orders.record_key = identities.record_key

    left join rates
        on
            orders.currency = rates.currency
            and orders.order_date >= rates.valid_from
            and orders.order_date < rates.valid_until

)

select * from final
