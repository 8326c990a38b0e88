with

records_clustered as (

    select * from {{ ref('int_identity__records_clustered') }}

),

customer_id_registry as (

    select * from {{ ref('customer_id_registry') }}

),

identities as (

    select
        records_clustered.record_key,
        customer_id_registry.customer_id,
        records_clustered.is_anonymous,
        customer_id_registry.first_loaded_at

    from records_clustered

    inner join customer_id_registry
        on records_clustered.record_hash = customer_id_registry.record_hash

)

select * from identities
