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

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where
        rejection_reason is null
        and is_anonymous_record

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

    where is_anonymous

),

anchored as (

    select
        identifiers_validated.record_key,
        min(identifiers_validated.record_key) over (
            partition by
                identifiers_validated.identifier_type,
                identifiers_validated.identifier_value
        ) as anchor_record_key

    from identifiers_validated

    inner join identifier_rules
        on identifiers_validated.identifier_type = identifier_rules.identifier_type

),

graph as (

    select
        record_key as node_key,
        cast(null as {{ dbt.type_string() }}) as neighbour_key

    from customer_records

    union all

    select
        anchor_record_key as node_key,
        record_key as neighbour_key

    from anchored

    where record_key != anchor_record_key

)

select * from graph
