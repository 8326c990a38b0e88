-- Which id each customer has. A record can issue one id, its own hash; a customer has the id
-- of its earliest record. A record that is gone goes on issuing for its heir, the earliest of
-- the records it was last together with, so a customer outlives the record it is named after,
-- and gets its old id back when a merge is undone.
--
-- Only rows that change are written. A full refresh keeps the table: without it the ids are
-- those of the records that are there, which are the same unless records were deleted.

{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='record_hash',
        on_schema_change='fail',
        full_refresh=false
    )
}}

{% set text = dbt.type_string() %}

with

clustered as (

    select * from {{ ref('int_identity__records_clustered') }}

),

stored as (

    {{ stored_rows({
        'record_hash': text,
        'is_anonymous_record': 'boolean',
        'first_loaded_at': dbt.type_timestamp(),
        'is_present': 'boolean',
        'heir_hash': text,
        'customer_id': text,
    }) }}

),

{{ heirs_of_absent_records() }},

issuers as (

    select
        clustered.record_hash,
        clustered.cluster_key,
        clustered.is_anonymous,
        clustered.is_anonymous_record,
        -- A source that keeps only the newest version of a row loses when the first came.
        case
            when stored.first_loaded_at < clustered.first_loaded_at then stored.first_loaded_at
            else coalesce(clustered.first_loaded_at, stored.first_loaded_at)
        end as first_loaded_at,
        true as is_present,
        cast(null as {{ text }}) as heir_hash

    from clustered

    left join stored
        on clustered.record_hash = stored.record_hash

    union all

    select
        stored.record_hash,
        clustered.cluster_key,
        clustered.is_anonymous,
        stored.is_anonymous_record,
        stored.first_loaded_at,
        false as is_present,
        heirs.heir_hash

    from stored

    inner join heirs
        on stored.record_hash = heirs.record_hash

    left join clustered
        on heirs.heir_hash = clustered.record_hash

),

named as (

    select
        *,
        -- A cookie is often loaded before the person it turns out to belong to; were it to
        -- name the customer, the id would change with the log-in.
        case when cluster_key is not null then
            first_value(record_hash) over (
                partition by cluster_key
                order by
                    case when is_anonymous_record = is_anonymous then 0 else 1 end,
                    case when first_loaded_at is null then 1 else 0 end,
                    first_loaded_at,
                    {{ binary_order('record_hash') }}
                rows between unbounded preceding and unbounded following
            )
        end as customer_id

    from issuers

),

changed as (

    select
        named.record_hash,
        named.is_anonymous_record,
        named.first_loaded_at,
        named.is_present,
        named.heir_hash,
        named.customer_id

    from named

    left join stored
        on named.record_hash = stored.record_hash

    where
        stored.record_hash is null
        or stored.is_present != named.is_present
        or coalesce(stored.heir_hash, '') != coalesce(named.heir_hash, '')
        or coalesce(stored.customer_id, '') != coalesce(named.customer_id, '')
        or stored.is_anonymous_record != named.is_anonymous_record
        or (stored.first_loaded_at is null and named.first_loaded_at is not null)
        or stored.first_loaded_at > named.first_loaded_at

)

select * from changed
