-- What a person should look at: groups that the guards took apart, browsers over a limit,
-- decisions that stand against a rule or against each other, and customers that are alike but
-- not enough.

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

decisions_for_review as (

    select * from {{ ref('int_identity__decisions_for_review') }}

),

browsers_for_review as (

    select * from {{ ref('int_identity__browsers_for_review') }}

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

queue as (

    select * from groups_taken_apart
    union all
    select
        reason,
        customer_id,
        other_customer_id,
        record_count,
        decision_number
    from decisions_for_review
    union all
    select
        reason,
        customer_id,
        other_customer_id,
        record_count,
        cast(null as {{ dbt.type_bigint() }}) as decision_number
    from browsers_for_review
    union all
    select distinct
        'similar_persons' as reason,
        left_customer_id as customer_id,
        right_customer_id as other_customer_id,
        2 as record_count,
        cast(null as {{ dbt.type_bigint() }}) as decision_number
    from {{ ref('identity_similar_pairs') }}
    where outcome = 'review'

)

select
    reason,
    customer_id,
    case when other_customer_id != customer_id then other_customer_id end as other_customer_id,
    cast(record_count as {{ dbt.type_bigint() }}) as record_count,
    decision_number

from queue
