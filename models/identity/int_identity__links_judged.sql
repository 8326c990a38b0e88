-- Every piece of evidence between two known records, and what came of it. A link is refused
-- where its ends are different persons, for what all that they were part of breaks.

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

suspicions as (

    select
        cluster_key,
        min(reason) as reason

    from {{ ref('int_identity__clusters_suspected') }}

    group by cluster_key

),

joined as (

    select
        edges_matched.*,
        left_clusters.cluster_key as left_cluster_key,
        right_clusters.cluster_key as right_cluster_key,
        suspicions.reason as suspicion

    from edges_matched

    inner join clusters_resolved as left_clusters
        on edges_matched.left_record_key = left_clusters.record_key

    inner join clusters_resolved as right_clusters
        on edges_matched.right_record_key = right_clusters.record_key

    inner join clusters_drafted
        on edges_matched.left_record_key = clusters_drafted.record_key

    left join suspicions
        on clusters_drafted.cluster_key = suspicions.cluster_key

),

judged as (

    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        priority,
        case when left_cluster_key != right_cluster_key then suspicion end as refusal_rule

    from joined

)

select * from judged
