{{ config(meta={'dagster': {'ref': {'name': 'customer_lifetime_value'}}}) }}

with

customer_orders_summary as (

    select * from {{ ref('customer_orders_summary') }}

),

customer_lifetime_value as (

    select * from {{ ref('customer_lifetime_value') }}

),

unscored as (

    select summaries.customer_id

    from customer_orders_summary as summaries

    left join customer_lifetime_value as scored
        on summaries.customer_id = scored.customer_id

    where
        summaries.order_count > 0
        and scored.customer_id is null

)

select * from unscored
