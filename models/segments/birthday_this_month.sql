{% set as_of = as_of_timestamp() %}

with

customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

members as (

    select customers.customer_id

    from customers

    where
        extract(month from customers.birth_date) = extract(month from {{ as_of }})
        -- Minors get no birthday mail.
        and customers.birth_date <= {{ dbt.dateadd('year', -18, as_of) }}

)

select * from members
