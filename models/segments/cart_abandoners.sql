{% set as_of = as_of_timestamp() %}

with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where
        customers.last_add_to_cart_at >= {{ dbt.dateadd('day', -7, as_of) }}
        and (
            customers.last_order_at is null
            or customers.last_order_at < customers.last_add_to_cart_at
        )

)

select * from members
