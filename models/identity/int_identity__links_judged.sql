-- Every piece of evidence between two known records, and what came of it. A link is refused
-- where its ends are different persons, for what stands between these two. Then those
-- of the holders of the value who are one are linked with each other instead.

with

edges_matched as (

    select * from {{ ref('int_identity__edges_matched') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

refusals_explained as (

    select * from {{ ref('int_identity__refusals_explained') }}

),

joined as (

    select
        edges_matched.*,
        left_clusters.cluster_key as left_cluster_key,
        right_clusters.cluster_key as right_cluster_key,
        refusals_explained.reason as refusal_rule

    from edges_matched

    inner join clusters_resolved as left_clusters
        on edges_matched.left_record_key = left_clusters.record_key

    inner join clusters_resolved as right_clusters
        on edges_matched.right_record_key = right_clusters.record_key

    left join refusals_explained
        on
            left_clusters.cluster_key = refusals_explained.left_cluster_key
            and right_clusters.cluster_key = refusals_explained.right_cluster_key
            and edges_matched.priority = refusals_explained.priority

),

-- The ends of a star that are not one with its middle.
cut_off as (

    select
        {{ binary_min(
            'right_record_key',
            'over (partition by left_record_key, identifier_type, identifier_value, '
            ~ 'right_cluster_key)'
        ) }} as left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        priority

    from joined

    where
        refusal_rule is not null
        and identifier_type != 'decision'

),

judged as (

    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        priority,
        refusal_rule

    from joined

    union all

    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        priority,
        cast(null as {{ dbt.type_string() }}) as refusal_rule

    from cut_off

    where left_record_key != right_record_key

)

select * from judged
