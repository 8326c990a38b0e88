{{ config(materialized='view') }}

-- What the last entries of the ledger come to, per row: what the destination holds, and
-- whether that is known for sure. A view, so it is never older than the ledger.

with

ledger as (

    select * from {{ source('state', 'sync_ledger') }}

),

positioned as (

    select
        *,
        max(entry_number) over (partition by sync_name, row_key) as last_entry_number,
        coalesce(
            max(case when status = 'delivered' then entry_number end)
                over (partition by sync_name, row_key),
            0
        ) as delivered_entry_number,
        -- Each attempt is an intent; a refusal settles one, a delivery all before it.
        case status when 'intent' then 1 when 'rejected' then -1 when 'unsent' then -1 else 0 end as open_calls

    from ledger

),

summarised as (

    select
        sync_name,
        row_key,
        max(last_entry_number) as last_entry_number,
        max(delivered_entry_number) as delivered_entry_number,
        max(case when entry_number = last_entry_number then action end) as last_action,
        max(case when entry_number = last_entry_number then status end) as last_status,
        max(case when entry_number = last_entry_number then attempt end) as last_attempt,
        max(case when entry_number = last_entry_number then run_id end) as last_run_id,
        max(case when entry_number = last_entry_number then error_class end) as last_error_class,
        max(case when entry_number = last_entry_number then error_code end) as last_error_code,
        max(case when entry_number = last_entry_number then row_hash end) as last_hash,
        max(case when entry_number = last_entry_number then recorded_at end) as last_recorded_at,
        max(case when entry_number = delivered_entry_number then action end)
            as delivered_action,
        max(case when entry_number = delivered_entry_number then row_hash end)
            as delivered_hash,
        max(case when entry_number = delivered_entry_number then remote_id end) as remote_id,
        sum(case when entry_number > delivered_entry_number then open_calls else 0 end)
            as open_calls,
        sum(
            case
                when entry_number > delivered_entry_number and action = 'upsert' then open_calls
                else 0
            end
        ) as open_upserts

    from positioned

    group by sync_name, row_key

),

owned as (

    select
        *,
        -- Two customers merged: the record is the survivor's as soon as it is written, and
        -- what happens to the other one must not touch it, not even their return.
        remote_id is null or delivered_entry_number = max(delivered_entry_number)
            over (partition by sync_name, remote_id) as is_owner

    from summarised

),

judged as (

    select
        sync_name,
        row_key,
        coalesce(
            open_upserts > 0
            or (delivered_action = 'upsert' and is_owner),
            false
        ) as is_held,
        open_calls > 0 as is_uncertain,
        last_entry_number,
        last_action,
        last_status,
        last_hash,
        last_attempt,
        last_run_id,
        last_error_class,
        last_error_code,
        last_recorded_at,
        delivered_hash,
        case when is_owner then remote_id end as remote_id

    from owned

)

select * from judged
