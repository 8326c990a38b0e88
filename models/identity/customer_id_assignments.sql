-- What each run changed about who is who, record by record: the log from which every change
-- of an id can be told. A run that changes nothing writes nothing.

{{
    config(
        materialized='incremental',
        incremental_strategy='append',
        on_schema_change='fail',
        full_refresh=false
    )
}}

{% set text = dbt.type_string() %}

with

customer_id_registry as (

    select * from {{ ref('customer_id_registry') }}

),

decisions as (

    select * from {{ source('state', 'identity_decisions') }}

),

records_clustered as (

    select * from {{ ref('int_identity__records_clustered') }}

),

stored as (

    {{ stored_rows({
        'run_number': dbt.type_bigint(),
        'as_of': 'date',
        'loaded_through': dbt.type_timestamp(),
        'last_decision_number': dbt.type_bigint(),
        'record_hash': text,
        'customer_id': text,
        'previous_customer_id': text,
    }) }}

),

newest as (

    select
        record_hash,
        max(run_number) as run_number

    from stored

    group by record_hash

),

assigned as (

    select
        stored.record_hash,
        stored.customer_id

    from stored

    inner join newest
        on
            stored.record_hash = newest.record_hash
            and stored.run_number = newest.run_number

),

present as (

    select * from customer_id_registry

    where is_present

),

run as (

    select
        cast(
            (select coalesce(max(run_number), 0) + 1 from stored) as {{ dbt.type_bigint() }}
        ) as run_number,
        (select max(first_loaded_at) from records_clustered) as loaded_through,
        (select max(decision_number) from decisions) as last_decision_number

),

changes as (

    select
        run.run_number,
        {{ as_of_date() }} as as_of,
        run.loaded_through,
        cast(run.last_decision_number as {{ dbt.type_bigint() }}) as last_decision_number,
        coalesce(present.record_hash, assigned.record_hash) as record_hash,
        present.customer_id,
        assigned.customer_id as previous_customer_id

    from present

    full outer join assigned
        on present.record_hash = assigned.record_hash

    cross join run

    where coalesce(present.customer_id, '') != coalesce(assigned.customer_id, '')

)

select * from changes
