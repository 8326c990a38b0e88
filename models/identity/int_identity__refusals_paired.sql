-- Customers between whom evidence was left out.

with

edges_matched as (

    select * from {{ ref('int_identity__edges_matched') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

pairs as (

    select distinct
        left_clusters.cluster_key as left_cluster_key,
        right_clusters.cluster_key as right_cluster_key,
        clusters_drafted.cluster_key as drafted_cluster_key,
        edges_matched.priority

    from edges_matched

    inner join clusters_resolved as left_clusters
        on edges_matched.left_record_key = left_clusters.record_key

    inner join clusters_resolved as right_clusters
        on edges_matched.right_record_key = right_clusters.record_key

    inner join clusters_drafted
        on edges_matched.left_record_key = clusters_drafted.record_key

    where left_clusters.cluster_key != right_clusters.cluster_key

)

select * from pairs
