with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where
        customers.rfm_segment in ('At Risk', 'Can''t Lose Them')
        and customers.monetary_score >= 4

)

select * from members
