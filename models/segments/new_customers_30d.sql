{% set as_of = as_of_timestamp() %}

with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where customers.first_order_at >= {{ dbt.dateadd('day', -30, as_of) }}

)

select * from members
