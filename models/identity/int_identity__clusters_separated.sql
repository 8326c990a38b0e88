-- depends_on: {{ ref('customer_records') }}
-- depends_on: {{ ref('int_identity__records_keyed') }}
-- depends_on: {{ ref('int_identity__identifiers_validated') }}
-- depends_on: {{ ref('int_identity__decisions_listed') }}
-- depends_on: {{ ref('int_identity__names_aliased') }}
-- depends_on: {{ ref('identifier_rules') }}
{{ config(
    materialized='guarded_components',
    node_column='record_key',
    cluster_column='cluster_key',
) }}
-- Suspected clusters, built again from nothing: the most trusted evidence first, and whatever
-- would join two groups into one that cannot be a person is left out.

with

edges_suspected as (

    select * from {{ ref('int_identity__edges_suspected') }}

),

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

clusters_suspected as (

    select distinct cluster_key from {{ ref('int_identity__clusters_suspected') }}

),

graph as (

    select
        clusters_drafted.record_key as node_key,
        cast(null as {{ dbt.type_string() }}) as neighbour_key,
        cast(null as {{ dbt.type_int() }}) as priority,
        cast(null as {{ dbt.type_string() }}) as evidence

    from clusters_drafted

    inner join clusters_suspected
        on clusters_drafted.cluster_key = clusters_suspected.cluster_key

    union all

    select
        left_record_key as node_key,
        right_record_key as neighbour_key,
        priority,
        identifier_value as evidence

    from edges_suspected

)

select * from graph
