{{ config(materialized='view') }}

with

runs as (

    select * from {{ source('state', 'sync_runs') }}

),

history as (

    select
        run_id,
        max(sync_name) as sync_name,
        -- The row of the start stands alone when the run was killed or is still going.
        coalesce(max(case when status != 'running' then status end), 'running') as status,
        max(rows_in_model) as rows_in_model,
        max(rows_unchanged) as rows_unchanged,
        max(rows_blocked) as rows_blocked,
        max(rows_planned_upserts) as rows_planned_upserts,
        max(rows_planned_removals) as rows_planned_removals,
        max(rows_sent) as rows_sent,
        max(rows_delivered) as rows_delivered,
        max(rows_removed) as rows_removed,
        max(rows_rejected) as rows_rejected,
        max(rows_unknown) as rows_unknown,
        max(rows_unsent) as rows_unsent,
        max(rows_resumed) as rows_resumed,
        max(rows_resumed_rejected) as rows_resumed_rejected,
        max(calls_made) as calls_made,
        max(guards) as guards,
        max(error_code) as error_code,
        min(started_at) as started_at,
        max(case when status != 'running' then recorded_at end) as ended_at

    from runs

    group by run_id

)

select * from history
