with

customer_orders_summary as (

    select * from {{ ref('customer_orders_summary') }}

),

counted as (

    select
        as_of,
        repeat_count,
        mean_repeat_amount,
        cast(count(*) as {{ dbt.type_bigint() }}) as customer_count

    from customer_orders_summary

    -- The Gamma distribution has no place for a customer who kept nothing. Without a repeat
    -- purchase there is no mean.
    where mean_repeat_amount > 0

    group by as_of, repeat_count, mean_repeat_amount

)

select * from counted
