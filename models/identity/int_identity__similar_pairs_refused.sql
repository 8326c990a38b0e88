-- Pairs that look alike and are two customers all the same, with the guard that keeps them apart.
-- Where no guard does, the other records of the two speak against it.

with

similar_pairs as (

    select
        left_record_key,
        right_record_key,
        left_customer_id,
        right_customer_id,
        left_customer_id || ':' || right_customer_id as group_key
    from {{ ref('identity_similar_pairs') }}

    where outcome = 'refused'

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

proposals as (

    select distinct
        similar_pairs.group_key,
        customer_identities.customer_id as label,
        customer_identities.record_key as node_key

    from similar_pairs

    inner join customer_identities
        on
            customer_identities.customer_id
            in (similar_pairs.left_customer_id, similar_pairs.right_customer_id)

),

violations as (

    {{ identity_violations('proposals', 1000, true) }}

),

refused as (

    select
        similar_pairs.left_record_key,
        similar_pairs.right_record_key,
        similar_pairs.left_customer_id,
        similar_pairs.right_customer_id,
        coalesce(min(violations.reason), 'unlike_as_a_whole') as refusal_rule

    from similar_pairs

    left join violations
        on similar_pairs.group_key = violations.group_key

    group by
        similar_pairs.left_record_key,
        similar_pairs.right_record_key,
        similar_pairs.left_customer_id,
        similar_pairs.right_customer_id

)

select * from refused
