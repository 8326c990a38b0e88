{{ config(meta={'dagster': {'ref': {'name': 'sync_ledger_folded'}}}) }}

-- The ledger was lost or restored to an earlier day: what was folded from it is not true any
-- more, and the fold has to have forgotten it.
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
