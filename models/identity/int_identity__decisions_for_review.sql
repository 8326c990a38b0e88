-- Decisions of people that stand against a rule, against each other, or about a record that is
-- not there.

with

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

decisions as (

    select * from {{ ref('int_identity__decisions_listed') }}

    where is_in_force

),

decisions_placed as (

    select
        decisions.decision_number,
        decisions.decision,
        one.customer_id,
        other.customer_id as other_customer_id,
        case when decisions.other_record_key is null then 1 else 2 end as record_count

    from decisions

    left join customer_identities as one
        on decisions.record_key = one.record_key

    left join customer_identities as other
        on decisions.other_record_key = other.record_key

),

decided_customers as (

    select distinct
        customer_id,
        decision_number

    from decisions_placed

    where
        decision = 'same'
        and customer_id = other_customer_id

),

records_decided as (

    select
        decided_customers.decision_number,
        customer_identities.record_key

    from decided_customers

    inner join customer_identities
        on decided_customers.customer_id = customer_identities.customer_id

),

overloaded as (

    select
        decided_customers.customer_id,
        decided_customers.decision_number

    from ({{ groups_with_too_many_values('records_decided', 'decision_number') }}) as held

    inner join decided_customers
        on held.decision_number = decided_customers.decision_number

),

decisions_to_review as (

    select
        case
            when customer_id is null or (record_count = 2 and other_customer_id is null)
                then 'decision_about_missing_record'
            else 'decisions_contradict'
        end as reason,
        customer_id,
        other_customer_id,
        record_count,
        decision_number

    from decisions_placed

    where
        customer_id is null
        or (record_count = 2 and other_customer_id is null)
        or (decision = 'same' and customer_id != other_customer_id)
        or (decision = 'different' and customer_id = other_customer_id)

    union all

    select
        'decision_breaks_rule' as reason,
        customer_id,
        cast(null as {{ dbt.type_string() }}) as other_customer_id,
        2 as record_count,
        decision_number

    from overloaded

)

select * from decisions_to_review
