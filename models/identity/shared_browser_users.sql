-- Who used a browser that no single customer claims: from a log-in to the next one of somebody
-- else. Before the first log-in it is nobody's, and it joins nobody with anybody.

with

visitor_log_ins as (

    select * from {{ ref('visitor_log_ins') }}

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

customer_identifiers as (

    select * from {{ ref('customer_identifiers') }}

),

known_customers as (

    select distinct customer_id from customer_identities

    where not is_anonymous

),

-- An address of several members of a family tells of none of them.
holders as (

    select
        customer_identifiers.identifier_type,
        customer_identifiers.identifier_value,
        min(customer_identifiers.customer_id) as customer_id

    from customer_identifiers

    inner join known_customers
        on customer_identifiers.customer_id = known_customers.customer_id

    group by
        customer_identifiers.identifier_type,
        customer_identifiers.identifier_value

    having count(*) = 1

),

log_ins as (

    select
        customer_identities.customer_id as browser_customer_id,
        visitor_log_ins.logged_in_at,
        -- Of two in the same instant, one at random but always the same.
        {{ binary_min('holders.customer_id') }}
            as customer_id

    from visitor_log_ins

    inner join customer_identities
        on visitor_log_ins.record_key = customer_identities.record_key

    inner join holders
        on
            visitor_log_ins.identifier_type = holders.identifier_type
            and visitor_log_ins.identifier_value = holders.identifier_value

    where customer_identities.is_anonymous

    group by
        customer_identities.customer_id,
        visitor_log_ins.logged_in_at

),

ordered as (

    select
        *,
        lag(customer_id) over (
            partition by browser_customer_id order by logged_in_at
        ) as previous_customer_id

    from log_ins

),

spans as (

    select
        browser_customer_id,
        customer_id,
        logged_in_at as used_from,
        lead(logged_in_at) over (
            partition by browser_customer_id order by logged_in_at
        ) as used_until

    from ordered

    where
        previous_customer_id is null
        or previous_customer_id != customer_id

)

select * from spans
