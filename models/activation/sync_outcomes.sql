{{ config(materialized='view') }}

with

ledger as (

    select * from {{ source('state', 'sync_ledger') }}

),

attempts as (

    select
        sync_name,
        run_id,
        row_key,
        action,
        -- An intent alone is a call whose end nobody knows.
        coalesce(max(case when status != 'intent' then status end), 'unknown') as status,
        max(row_hash) as row_hash,
        max(attempt) as attempt,
        max(remote_id) as remote_id,
        max(error_class) as error_class,
        max(error_code) as error_code,
        min(recorded_at) as attempted_at,
        max(case when status != 'intent' then recorded_at end) as answered_at

    from ledger

    group by sync_name, run_id, row_key, action

)

select * from attempts
