{{ config(
    materialized='connected_components',
    node_column='record_key',
    cluster_column='cluster_key',
    incremental=true,
) }}
-- Browsers and devices among themselves: a cookie and the one that replaced it share a value.
-- Known records take no part, so no chain of cookies can join two of them.

with

customer_records as (

    select * from {{ ref('customer_records') }}

    where is_anonymous

),

browser_edges_matched as (

    select * from {{ ref('int_identity__browser_edges_matched') }}

),

graph as (

    select
        record_key as node_key,
        cast(null as {{ dbt.type_string() }}) as neighbour_key

    from customer_records

    union all

    select
        left_record_key as node_key,
        right_record_key as neighbour_key

    from browser_edges_matched

)

select * from graph
