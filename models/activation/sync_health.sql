{{ config(materialized='view') }}

-- How each sync is, from what the ledger and the runs say. Ages count to its last run and not
-- to the clock: a sync that does not run is seen by last_run_at.

{% set syncs = planned_syncs() %}

with

syncs as (

    {% for sync in syncs -%}
    select '{{ sync }}' as sync_name
    union
    {% endfor -%}
    select sync_name from {{ ref('sync_run_history') }}

),

runs as (

    select
        sync_name,
        max(coalesce(ended_at, started_at)) as last_run_at,
        max(case when status in ('succeeded', 'pending') then ended_at end) as last_success_at

    from {{ ref('sync_run_history') }}

    group by sync_name

),

held as (

    select
        sync_name,
        count(case when is_held then 1 end) as held_rows,
        count(case when is_held and remote_id is not null then 1 end) as matched_rows,
        count(case when last_action = 'remove' and last_status = 'delivered' then 1 end)
            as removed_rows,
        count(case when is_uncertain then 1 end) as rows_in_doubt,
        count(case when last_status = 'rejected' then 1 end) as rejected_rows,
        count(*) as attempted_rows

    from {{ ref('sync_ledger_current') }}

    group by sync_name

),

dead_letters as (

    select
        sync_name,
        count(*) as dead_letters,
        min(first_failed_at) as oldest_dead_letter_at

    from {{ ref('sync_rejections') }}

    where is_dead_letter

    group by sync_name

),

health as (

    select
        syncs.sync_name,
        runs.last_run_at,
        runs.last_success_at,
        coalesce(held.held_rows, 0) as held_rows,
        coalesce(held.matched_rows, 0) as matched_rows,
        coalesce(held.removed_rows, 0) as removed_rows,
        coalesce(held.rows_in_doubt, 0) as rows_in_doubt,
        coalesce(held.rejected_rows, 0) as rejected_rows,
        cast(held.rejected_rows * 1.0 / nullif(held.attempted_rows, 0) as decimal(18, 4))
            as rejected_share,
        coalesce(dead_letters.dead_letters, 0) as dead_letters,
        dead_letters.oldest_dead_letter_at,
        -- Whole hours, but of another type on PostgreSQL.
        cast(
            {{ dbt.datediff('dead_letters.oldest_dead_letter_at', 'runs.last_run_at', 'hour') }}
            as {{ dbt.type_bigint() }}
        ) as oldest_dead_letter_hours

    from syncs

    left join runs
        on syncs.sync_name = runs.sync_name

    left join held
        on syncs.sync_name = held.sync_name

    left join dead_letters
        on syncs.sync_name = dead_letters.sync_name

)

select * from health
