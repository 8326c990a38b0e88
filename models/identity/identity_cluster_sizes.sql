with

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

customers as (

    select
        customer_id,
        is_anonymous,
        count(*) as record_count

    from customer_identities

    group by
        customer_id,
        is_anonymous

),

sizes as (

    select
        record_count,
        is_anonymous,
        count(*) as customer_count,
        min(customer_id) as example_customer_id

    from customers

    group by
        record_count,
        is_anonymous

)

select * from sizes
