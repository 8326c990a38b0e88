-- The purchase models see a customer as (x, t_x, T) alone. Customers who share all three
-- are counted here, so the fit reads thousands of rows and never a customer.

with

customer_orders_summary as (

    select * from {{ ref('customer_orders_summary') }}

),

counted as (

    select
        as_of,
        repeat_count,
        recency_weeks,
        age_weeks,
        cast(count(*) as {{ dbt.type_bigint() }}) as customer_count,
        cast({{ var('clv_series_terms') }} as {{ dbt.type_int() }}) as series_terms

    from customer_orders_summary

    where order_count > 0

    group by as_of, repeat_count, recency_weeks, age_weeks

)

select * from counted
