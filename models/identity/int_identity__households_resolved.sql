{{ config(
    materialized='connected_components',
    node_column='customer_id',
    cluster_column='first_customer_id',
) }}
-- Customers joined by what a household shares. A graph of its own: it joins no persons.

with

customer_identities as (

    select distinct customer_id from {{ ref('customer_identities') }}

    where not is_anonymous

),

household_evidence as (

    select
        customer_id,
        min(customer_id) over (partition by evidence_key) as anchor_customer_id

    from {{ ref('int_identity__household_evidence') }}

),

graph as (

    select
        customer_id as node_key,
        cast(null as {{ dbt.type_string() }}) as neighbour_key

    from customer_identities

    union all

    select
        anchor_customer_id as node_key,
        customer_id as neighbour_key

    from household_evidence

    where customer_id != anchor_customer_id

)

select * from graph
