with

customers as (

    select * from {{ ref('customers') }}

),

orders as (

    select * from {{ ref('orders') }}

),

completed_orders as (

    select
        customer_id,
        order_id,
        original_order_id,
        order_type,
        order_date,
        net_amount_reporting

    from orders

    where
        status = 'completed'
        and not is_future

),

returned_amounts as (

    select
        original_order_id,
        sum(net_amount_reporting) as returned_amount

    from completed_orders

    where
        order_type = 'return'
        and original_order_id is not null

    group by original_order_id

),

-- Orders of one day are one decision to buy. A free order is none.
purchase_days as (

    select
        sales.customer_id,
        sales.order_date,
        count(*) as order_count,
        sum(
            sales.net_amount_reporting + coalesce(returned_amounts.returned_amount, 0)
        ) as kept_amount

    from completed_orders as sales

    left join returned_amounts
        on sales.order_id = returned_amounts.original_order_id

    where
        sales.order_type = 'sale'
        and sales.net_amount_reporting > 0

    group by sales.customer_id, sales.order_date

),

dated_purchase_days as (

    select
        *,
        min(order_date) over (partition by customer_id) as first_order_date

    from purchase_days

),

purchases as (

    select
        customer_id,
        sum(order_count) as order_count,
        count(*) as order_day_count,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date,
        sum(case when order_date > first_order_date then kept_amount end) as repeat_amount

    from dated_purchase_days

    group by customer_id

),

-- A return counts against its customer even where its order is unknown.
revenues as (

    select
        customer_id,
        sum(net_amount_reporting) as net_revenue

    from completed_orders

    group by customer_id

),

summarised as (

    select
        customers.customer_id,
        {{ as_of_date() }} as as_of,
        cast(coalesce(purchases.order_count, 0) as {{ dbt.type_bigint() }}) as order_count,
        cast(coalesce(purchases.order_day_count, 0) as {{ dbt.type_bigint() }})
            as order_day_count,
        purchases.first_order_date,
        purchases.last_order_date,
        cast(coalesce(revenues.net_revenue, 0) as decimal(18, 2)) as net_revenue_reporting,
        cast(purchases.order_day_count - 1 as {{ dbt.type_bigint() }}) as repeat_count,
        {{ weeks_between('purchases.first_order_date', 'purchases.last_order_date') }}
            as recency_weeks,
        {{ weeks_between('purchases.first_order_date', as_of_date()) }} as age_weeks,
        cast(purchases.repeat_amount as {{ type_double() }})
        / nullif(purchases.order_day_count - 1, 0) as mean_repeat_amount

    from customers

    left join purchases
        on customers.customer_id = purchases.customer_id

    left join revenues
        on customers.customer_id = revenues.customer_id

)

select * from summarised
