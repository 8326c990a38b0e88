{{ config(materialized='view') }}

-- How each sync's last run went, for alerts. A sync that never ran is not there: nobody has
-- started it yet.

{% set hours = var('alert_stale_hours') %}

with

declared as (

    {% for sync in planned_syncs() %}
    select
        '{{ sync }}' as sync_name,
        {{ sync_settings(sync).get('stale_after_hours') or hours }} as stale_after_hours
    union all
    {% endfor %}
    select
        cast(null as {{ dbt.type_string() }}) as sync_name,
        {{ hours }} as stale_after_hours
    where 1 = 0

),

-- Of runs that sent or tried to: upkeep says nothing about that.
numbered_runs as (

    select
        *,
        row_number() over (partition by sync_name order by started_at desc, run_id desc)
            as newest_first

    from {{ ref('sync_run_history') }}

    where status in ('succeeded', 'pending', 'partial', 'blocked', 'failed')

),

judged as (

    select
        declared.sync_name as subject,
        case
            when runs.status = 'failed' then 'failing'
            when runs.status = 'blocked' then 'blocked'
            when runs.status = 'partial' or health.dead_letters > 0 then 'degraded'
            else 'ok'
        end as state,
        {{ dbt.concat([
            "coalesce(runs.error_code, '')",
            counted('rows_rejected', 'runs.rows_rejected'),
            counted('rows_unknown', 'runs.rows_unknown'),
            counted('rows_unsent', 'runs.rows_unsent'),
            counted('rows_resumed_rejected', 'runs.rows_resumed_rejected'),
            counted('dead_letters', 'health.dead_letters'),
        ]) }} as detail,
        {{ dbt.dateadd('hour', 'declared.stale_after_hours', 'runs.ended_at') }} as fresh_until

    from declared

    inner join numbered_runs as runs
        on declared.sync_name = runs.sync_name and runs.newest_first = 1

    left join {{ ref('sync_health') }} as health
        on declared.sync_name = health.sync_name

)

select
    subject,
    state,
    cast(trim(detail) as {{ dbt.type_string() }}) as detail,
    fresh_until

from judged
