-- One scan of the orders. Sales that were cancelled or are not paid yet do not count, as
-- in customer_orders_summary; returns lower the revenue of the day they came back. Windows are cut
-- by the day of business, as orders are everywhere.

with

orders as (

    select * from {{ ref('orders') }}

),

counted_orders as (

    select
        customer_id,
        channel,
        ordered_at,
        order_date,
        net_amount_reporting,
        order_type = 'sale' as is_sale

    from orders

    where
        customer_id is not null
        and status = 'completed'
        and not is_future

),

aggregated as (

    select
        customer_id,
        min(case when is_sale then ordered_at end) as first_order_at,
        max(case when is_sale then ordered_at end) as last_order_at,
        max(case when is_sale and channel = 'shop' then ordered_at end) as last_shop_order_at,
        max(case when is_sale and channel = 'store' then ordered_at end) as last_store_order_at,
        max(ordered_at) as last_activity_at
        {%- for days in trait_windows() %}
            {%- set in_window = 'order_date >= ' ~ dbt.dateadd('day', -days, as_of_date()) %},
            sum(case when is_sale and {{ in_window }} then 1 else 0 end)
                as order_count_{{ days }}d,
            cast(
                sum(case when {{ in_window }} then net_amount_reporting else 0 end)
                as decimal(18, 2)
            ) as net_revenue_reporting_{{ days }}d
        {%- endfor %},
        sum(case when is_sale then 1 else 0 end) as order_count_all,
        cast(sum(net_amount_reporting) as decimal(18, 2)) as net_revenue_reporting_all,
        sum(case when is_sale and channel = 'shop' then 1 else 0 end) as shop_order_count_all,
        sum(case when is_sale and channel = 'store' then 1 else 0 end) as store_order_count_all,
        sum(case when is_sale then 0 else 1 end) as return_count_all

    from counted_orders

    group by customer_id

)

select * from aggregated
