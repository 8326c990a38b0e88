{{ config(materialized='view') }}

-- What entries since the last fold have made of the rows they touched, and of rows whose remote
-- record these have taken over or given up. Few as long as the ledger is folded after each run.

with

{{ fold_ledger(ref('sync_ledger_folded')) }}

select {{ folded_columns() | join(', ') }} from folded
