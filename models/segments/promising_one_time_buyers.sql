with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

one_time_buyers as (

    select
        customer_id,
        percent_rank() over (order by clv_12m) as clv_rank

    from customers

    where
        order_count_all = 1
        and clv_12m is not null

),

members as (

    select customer_id

    from one_time_buyers

    where clv_rank >= 0.8

)

select * from members
