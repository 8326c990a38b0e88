{{ config(
    materialized='connected_components',
    node_column='record_key',
    cluster_column='cluster_key',
) }}
-- Known records joined by every edge that counts. The edges inside a suspected cluster count
-- only when they are strong; all others are as drafted, so the draft stands in for them and
-- only the suspected clusters are really searched again.

with

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

clusters_suspected as (

    select distinct cluster_key from {{ ref('int_identity__clusters_suspected') }}

),

edges_matched as (

    select * from {{ ref('int_identity__edges_matched') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

drafted as (

    select
        clusters_drafted.record_key,
        clusters_drafted.cluster_key,
        clusters_suspected.cluster_key is not null as is_suspected

    from clusters_drafted

    left join clusters_suspected
        on clusters_drafted.cluster_key = clusters_suspected.cluster_key

),

graph as (

    select
        record_key as node_key,
        case when not is_suspected then cluster_key end as neighbour_key

    from drafted

    union all

    select
        edges_matched.left_record_key as node_key,
        edges_matched.right_record_key as neighbour_key

    from edges_matched

    inner join drafted
        on edges_matched.left_record_key = drafted.record_key

    inner join identifier_rules
        on edges_matched.identifier_type = identifier_rules.identifier_type

    where
        drafted.is_suspected
        and identifier_rules.is_strong

)

select * from graph
