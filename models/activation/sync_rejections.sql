{{ config(materialized='view') }}

-- Rows that are not at their destination as they should be, and since when. An intent without
-- an answer is a call nobody knows the end of.

with

failing as (

    select
        *,
        last_status = 'rejected' and last_hash is not null
        and last_attempt >= {{ sync_max_attempts() }} as is_dead_letter

    from {{ ref('sync_ledger_current') }}

    where last_status in ('rejected', 'unknown', 'intent')

),

attempts as (

    select
        ledger.sync_name,
        ledger.row_key,
        ledger.entry_number,
        ledger.run_id,
        ledger.recorded_at,
        min(ledger.entry_number) over (partition by ledger.sync_name, ledger.row_key)
            as first_entry_number

    from {{ source('state', 'sync_ledger') }} as ledger

    inner join failing
        on
            ledger.sync_name = failing.sync_name
            and ledger.row_key = failing.row_key
            and ledger.entry_number > coalesce(failing.delivered_entry_number, 0)

    where ledger.status in ('rejected', 'unknown', 'intent')

),

beginnings as (

    select * from attempts

    where entry_number = first_entry_number

),

rejections as (

    select
        failing.sync_name,
        failing.row_key,
        failing.last_action as action,
        case failing.last_status when 'rejected' then 'rejected' else 'unknown' end as status,
        failing.last_attempt as attempts,
        failing.is_dead_letter,
        failing.is_held,
        failing.last_error_class as error_class,
        failing.last_error_code as error_code,
        beginnings.run_id as first_run_id,
        failing.last_run_id,
        beginnings.recorded_at as first_failed_at,
        failing.last_recorded_at as last_failed_at

    from failing

    left join beginnings
        on failing.sync_name = beginnings.sync_name and failing.row_key = beginnings.row_key

)

select * from rejections
