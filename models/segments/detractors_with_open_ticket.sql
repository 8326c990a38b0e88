with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where
        customers.nps_score <= 6
        and customers.open_ticket_count > 0

)

select * from members
