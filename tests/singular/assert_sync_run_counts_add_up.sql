-- Every row of a finished run is somewhere.
select run_id

from {{ ref('sync_run_history') }}

where
    status != 'running'
    and (
        rows_in_model != rows_unchanged + rows_blocked + rows_planned_upserts
        or rows_planned_upserts + rows_planned_removals != rows_sent + rows_unsent
        or rows_sent != rows_delivered + rows_removed + rows_rejected + rows_unknown
    )
