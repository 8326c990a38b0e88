-- What a person should look at: groups that the guards took apart, and decisions that stand
-- against a rule or against each other.

with

clusters_suspected as (

    select * from {{ ref('int_identity__clusters_suspected') }}

),

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

decisions as (

    select * from {{ ref('int_identity__decisions_listed') }}

    where is_in_force

),

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where rejection_reason is null

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

groups_taken_apart as (

    select
        clusters_suspected.reason,
        min(customer_identities.customer_id) as customer_id,
        max(customer_identities.customer_id) as other_customer_id,
        count(*) as record_count,
        cast(null as {{ dbt.type_bigint() }}) as decision_number

    from clusters_suspected

    inner join clusters_drafted
        on clusters_suspected.cluster_key = clusters_drafted.cluster_key

    inner join customer_identities
        on clusters_drafted.record_key = customer_identities.record_key

    group by clusters_suspected.cluster_key, clusters_suspected.reason

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

overloaded as (

    select distinct
        held.customer_id,
        held.decision_number

    from (
        select
            decided_customers.customer_id,
            decided_customers.decision_number,
            identifiers_validated.identifier_type,
            count(distinct identifiers_validated.identifier_value) as value_count

        from decided_customers

        inner join customer_identities
            on decided_customers.customer_id = customer_identities.customer_id

        inner join identifiers_validated
            on customer_identities.record_key = identifiers_validated.record_key

        group by
            decided_customers.customer_id,
            decided_customers.decision_number,
            identifiers_validated.identifier_type
    ) as held

    inner join identifier_rules
        on held.identifier_type = identifier_rules.identifier_type

    where held.value_count > identifier_rules.max_values_per_customer

),

decisions_to_review as (

    select
        case
            when customer_id is null or (record_count = 2 and other_customer_id is null)
                then 'decision_about_missing_record'
            when decision = 'same' then 'decisions_contradict'
            when decision = 'different' then 'decisions_contradict'
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

),

queue as (

    select * from groups_taken_apart
    union all
    select
        reason,
        customer_id,
        other_customer_id,
        record_count,
        decision_number
    from decisions_to_review

)

select
    reason,
    customer_id,
    case when other_customer_id != customer_id then other_customer_id end as other_customer_id,
    cast(record_count as {{ dbt.type_bigint() }}) as record_count,
    decision_number

from queue
