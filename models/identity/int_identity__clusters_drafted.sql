{{ config(
    materialized='connected_components',
    node_column='record_key',
    cluster_column='cluster_key',
    incremental=true,
) }}
-- Known records joined by every edge, before clusters that break a limit are taken apart.

with

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

edges_matched as (

    select * from {{ ref('int_identity__edges_matched') }}

),

graph as (

    select
        record_key as node_key,
        cast(null as {{ dbt.type_string() }}) as neighbour_key

    from records_keyed

    union all

    select
        left_record_key as node_key,
        right_record_key as neighbour_key

    from edges_matched

)

select * from graph
