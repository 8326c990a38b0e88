with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where customers.rfm_segment = 'Champions'

)

select * from members
