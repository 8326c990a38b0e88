with

customer_records as (

    select * from {{ ref('customer_records') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

anonymous_clusters as (

    select * from {{ ref('int_identity__anonymous_clusters_resolved') }}

),

anonymous_clusters_claimed as (

    select * from {{ ref('int_identity__anonymous_clusters_claimed') }}

),

assigned as (

    select
        record_key,
        cluster_key,
        false as is_anonymous

    from clusters_resolved

    union all

    select
        anonymous_clusters.record_key,
        coalesce(anonymous_clusters_claimed.cluster_key, anonymous_clusters.cluster_key)
            as cluster_key,
        anonymous_clusters_claimed.cluster_key is null as is_anonymous

    from anonymous_clusters

    left join anonymous_clusters_claimed
        on anonymous_clusters.cluster_key = anonymous_clusters_claimed.anonymous_cluster_key

),

ranked as (

    select
        assigned.record_key,
        assigned.cluster_key,
        assigned.is_anonymous,
        customer_records.loaded_at as first_loaded_at,
        -- A cookie is often loaded before the person it turns out to belong to; were it to
        -- name the customer, the id would change with the log-in.
        first_value(assigned.record_key) over (
            partition by assigned.cluster_key
            order by
                case when customer_records.is_anonymous = assigned.is_anonymous then 0 else 1 end,
                case when customer_records.loaded_at is null then 1 else 0 end,
                customer_records.loaded_at,
                {{ binary_order('assigned.record_key') }}
            rows between unbounded preceding and unbounded following
        ) as first_record_key

    from assigned

    inner join customer_records
        on assigned.record_key = customer_records.record_key

),

identities as (

    select
        record_key,
        substr({{ sha256_hex('first_record_key') }}, 1, 32) as customer_id,
        is_anonymous,
        first_loaded_at

    from ranked

)

select * from identities
