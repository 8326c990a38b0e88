{{ config(meta={'dagster': {'ref': {'name': 'sync_ledger_folded'}}}) }}

-- The ledger was restored to an earlier day, or entries were deleted: what was folded from
-- them is not true any more. `dbt run --full-refresh --select sync_ledger_folded` mends it.
with

ledger as (

    select
        sync_name,
        max(entry_number) as entry_number

    from {{ source('state', 'sync_ledger') }}

    group by sync_name

)

select
    folded.sync_name,
    max(folded.last_entry_number) as folded_entry_number

from {{ ref('sync_ledger_folded') }} as folded

left join ledger
    on folded.sync_name = ledger.sync_name

group by folded.sync_name, ledger.entry_number

having max(folded.last_entry_number) > coalesce(ledger.entry_number, 0)
