-- Every record with its cluster: known people, and browsers with the person they belong to.

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

anonymous_clusters_owned as (

    select * from {{ ref('int_identity__anonymous_clusters_owned') }}

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
        coalesce(anonymous_clusters_owned.cluster_key, anonymous_clusters.cluster_key)
            as cluster_key,
        anonymous_clusters_owned.cluster_key is null as is_anonymous

    from anonymous_clusters

    left join anonymous_clusters_owned
        on anonymous_clusters.cluster_key = anonymous_clusters_owned.anonymous_cluster_key

),

clustered as (

    select
        assigned.record_key,
        substr({{ sha256_hex('assigned.record_key') }}, 1, 32) as record_hash,
        assigned.cluster_key,
        assigned.is_anonymous,
        customer_records.is_anonymous as is_anonymous_record,
        customer_records.loaded_at as first_loaded_at

    from assigned

    inner join customer_records
        on assigned.record_key = customer_records.record_key

)

select * from clustered
