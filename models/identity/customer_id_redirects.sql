-- Where every id that was ever issued leads today. An id is the hash of the record that issued
-- it, and the registry knows the customer of every record there ever was, so no chain of
-- merges has to be followed.

with

customer_id_registry as (

    select * from {{ ref('customer_id_registry') }}

),

issued as (

    select distinct customer_id from {{ ref('customer_id_assignments') }}

    where customer_id is not null

),

redirects as (

    select
        issued.customer_id,
        customer_id_registry.customer_id as current_customer_id,
        case
            when customer_id_registry.customer_id is null then 'retired'
            when customer_id_registry.customer_id = issued.customer_id then 'current'
            else 'merged'
        end as status

    from issued

    -- Of somebody who was erased the registry knows nothing, while the log of those who once
    -- were one customer with them may still name the id.
    left join customer_id_registry
        on issued.customer_id = customer_id_registry.record_hash

)

select * from redirects
