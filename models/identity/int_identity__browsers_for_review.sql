-- Browsers that a limit keeps from a customer, or that are over a limit and nobody's.

with

anonymous_clusters_claimed as (

    select * from {{ ref('int_identity__anonymous_clusters_claimed') }}

),

anonymous_clusters_resolved as (

    select * from {{ ref('int_identity__anonymous_clusters_resolved') }}

),

anonymous_clusters_overloaded as (

    select * from {{ ref('int_identity__anonymous_clusters_overloaded') }}

),

anonymous_clusters_owned as (

    select * from {{ ref('int_identity__anonymous_clusters_owned') }}

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

kept_from as (

    select
        anonymous_clusters_claimed.anonymous_cluster_key as cluster_key,
        anonymous_clusters_claimed.cluster_key as claiming_record_key

    from anonymous_clusters_claimed

    left join anonymous_clusters_owned
        on
            anonymous_clusters_claimed.anonymous_cluster_key
            = anonymous_clusters_owned.anonymous_cluster_key

    where anonymous_clusters_owned.anonymous_cluster_key is null

),

reasons as (

    select
        cluster_key,
        reason
    from anonymous_clusters_overloaded
    union all
    select
        cluster_key,
        'too_many_records' as reason
    from kept_from
    where cluster_key not in (select cluster_key from anonymous_clusters_overloaded)

),

for_review as (

    select
        reasons.reason,
        browsers.customer_id,
        claimants.customer_id as other_customer_id,
        count(*) as record_count

    from reasons

    inner join anonymous_clusters_resolved
        on reasons.cluster_key = anonymous_clusters_resolved.cluster_key

    -- A cluster is named after one of its records.
    inner join customer_identities as browsers
        on reasons.cluster_key = browsers.record_key

    left join kept_from
        on reasons.cluster_key = kept_from.cluster_key

    left join customer_identities as claimants
        on kept_from.claiming_record_key = claimants.record_key

    group by
        reasons.reason,
        reasons.cluster_key,
        browsers.customer_id,
        claimants.customer_id

)

select * from for_review
