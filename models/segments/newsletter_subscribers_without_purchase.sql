with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

subscribers as (

    {{ consented_customers('marketing', 'email') | indent(4) }}

),

members as (

    select customers.customer_id

    from customers

    inner join subscribers
        on customers.customer_id = subscribers.customer_id

    where customers.order_count_all = 0

)

select * from members
