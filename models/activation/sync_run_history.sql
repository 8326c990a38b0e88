{{ config(materialized='view') }}

{%- set counts = [
    'rows_in_model', 'rows_unchanged', 'rows_blocked', 'rows_planned_upserts',
    'rows_planned_removals', 'rows_sent', 'rows_delivered', 'rows_removed', 'rows_rejected',
    'rows_unknown', 'rows_unsent', 'calls_made',
] %}

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
        {% for column in counts -%}
        max({{ column }}) as {{ column }},
        {% endfor -%}
        max(guards) as guards,
        max(error_code) as error_code,
        min(started_at) as started_at,
        max(case when status != 'running' then recorded_at end) as ended_at

    from runs

    group by run_id

)

select * from history
