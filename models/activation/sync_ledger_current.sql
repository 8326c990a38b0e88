{{ config(materialized='view') }}

-- What the entries of the ledger come to, per row: what the destination holds, and whether
-- that is known for sure. The stored fold, brought up to date with the entries since: a view,
-- so it is never older than the ledger.

{% set columns %}
    sync_name,
    row_key,
    is_held,
    is_uncertain,
    last_entry_number,
    last_action,
    last_status,
    last_hash,
    last_attempt,
    last_run_id,
    last_error_class,
    last_error_code,
    last_recorded_at,
    delivered_entry_number,
    delivered_action,
    delivered_reason,
    delivered_hash,
    delivered_field_hashes,
    owned_remote_id as remote_id,
    customer_id
{% endset %}

select {{ columns }}

from {{ ref('sync_ledger_folded') }} as stored

where
    not exists (
        select 1
        from {{ ref('sync_ledger_unfolded') }} as unfolded
        where unfolded.sync_name = stored.sync_name and unfolded.row_key = stored.row_key
    )

union all

select {{ columns }} from {{ ref('sync_ledger_unfolded') }}
