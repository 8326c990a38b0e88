{{ config(materialized='view') }}

-- Identifiers that a destination holds, or may hold, for each row: those of the delivery that
-- stands and of calls since. Those of earlier ones were replaced with it.

with

identifiers as (

    select * from {{ source('state', 'sync_identifiers') }}

),

held as (

    select
        identifiers.sync_name,
        identifiers.row_key,
        identifiers.identifier,
        max(identifiers.entry_number) as entry_number

    from identifiers

    inner join {{ ref('sync_ledger_current') }} as ledger
        on
            identifiers.sync_name = ledger.sync_name
            and identifiers.row_key = ledger.row_key
            and identifiers.entry_number >= coalesce(ledger.delivered_entry_number, 0)

    where ledger.is_held

    group by identifiers.sync_name, identifiers.row_key, identifiers.identifier

)

select * from held
