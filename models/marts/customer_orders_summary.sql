with

customers as (

    select * from {{ ref('customers') }}

),

orders as (

    select * from {{ ref('orders') }}

),

purchases as (

    select * from {{ ref('int_marts__purchases') }}

),

-- Orders of one day are one decision to buy.
purchase_days as (

    select
        customer_id,
        order_date,
        count(*) as order_count,
        sum(kept_amount_reporting) as kept_amount

    from purchases

    group by customer_id, order_date

),

dated_purchase_days as (

    select
        *,
        min(order_date) over (partition by customer_id) as first_order_date

    from purchase_days

),

histories as (

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

    from orders

    where
        status = 'completed'
        and not is_future

    group by customer_id

),

summarised as (

    select
        customers.customer_id,
        {{ as_of_date() }} as as_of,
        cast(coalesce(histories.order_count, 0) as {{ dbt.type_bigint() }}) as order_count,
        cast(coalesce(histories.order_day_count, 0) as {{ dbt.type_bigint() }})
            as order_day_count,
        histories.first_order_date,
        histories.last_order_date,
        cast(coalesce(revenues.net_revenue, 0) as decimal(18, 2)) as net_revenue_reporting,
        cast(histories.order_day_count - 1 as {{ dbt.type_bigint() }}) as repeat_count,
        {{ weeks_between('histories.first_order_date', 'histories.last_order_date') }}
            as recency_weeks,
        {{ weeks_between('histories.first_order_date', as_of_date()) }} as age_weeks,
        cast(histories.repeat_amount as {{ type_double() }})
        / nullif(histories.order_day_count - 1, 0) as mean_repeat_amount

    from customers

    left join histories
        on customers.customer_id = histories.customer_id

    left join revenues
        on customers.customer_id = revenues.customer_id

)

select * from summarised
