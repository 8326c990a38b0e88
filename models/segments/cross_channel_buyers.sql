{% set as_of = as_of_timestamp() %}

with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where
        customers.last_shop_order_at >= {{ dbt.dateadd('day', -365, as_of) }}
        and customers.last_store_order_at >= {{ dbt.dateadd('day', -365, as_of) }}

)

select * from members
