-- Why evidence between two customers was left out: what stands between these two, not what is
-- wrong anywhere in the draft that both were part of.

with

refusals_paired as (

    select * from {{ ref('int_identity__refusals_paired') }}

),

refusals_contradicted as (

    select * from {{ ref('int_identity__refusals_contradicted') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

clusters_suspected as (

    select * from {{ ref('int_identity__clusters_suspected') }}

),

decisions as (

    select * from {{ ref('int_identity__decisions_listed') }}

    where
        is_in_force
        and decision = 'different'

),

placed as (

    select
        left_clusters.cluster_key as left_cluster_key,
        right_clusters.cluster_key as right_cluster_key

    from decisions

    inner join clusters_resolved as left_clusters
        on decisions.left_record_key = left_clusters.record_key

    inner join clusters_resolved as right_clusters
        on decisions.right_record_key = right_clusters.record_key

),

told_apart as (

    select
        left_cluster_key,
        right_cluster_key
    from placed
    union
    select
        right_cluster_key as left_cluster_key,
        left_cluster_key as right_cluster_key
    from placed

),

reasons as (

    select
        refusals_paired.left_cluster_key,
        refusals_paired.right_cluster_key,
        refusals_paired.priority,
        'decided_apart' as reason,
        1 as reason_rank

    from refusals_paired

    inner join told_apart
        on
            refusals_paired.left_cluster_key = told_apart.left_cluster_key
            and refusals_paired.right_cluster_key = told_apart.right_cluster_key

    union all

    select
        left_cluster_key,
        right_cluster_key,
        priority,
        reason,
        2 as reason_rank

    from refusals_contradicted

    union all

    -- Nothing stands between the two: a limit that the whole step broke, or somebody third.
    select
        refusals_paired.left_cluster_key,
        refusals_paired.right_cluster_key,
        refusals_paired.priority,
        clusters_suspected.reason,
        case when clusters_suspected.reason like 'too_many_%' then 3 else 4 end as reason_rank

    from refusals_paired

    inner join clusters_suspected
        on refusals_paired.drafted_cluster_key = clusters_suspected.cluster_key

),

ranked as (

    select
        *,
        row_number() over (
            partition by left_cluster_key, right_cluster_key, priority
            order by reason_rank, {{ binary_order('reason') }}
        ) as position

    from reasons

)

select
    left_cluster_key,
    right_cluster_key,
    priority,
    reason

from ranked

where position = 1
