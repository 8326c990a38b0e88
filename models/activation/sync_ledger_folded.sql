-- What the ledger came to, per row, when it was last folded. Only rows with newer entries are
-- written again, so a ledger of ten million rows costs what the last run added to it. A full
-- refresh reads the whole ledger and gives the same rows.

{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key=['sync_name', 'row_key'],
        pre_hook="{{ forget_lost_ledgers() }}",
        on_schema_change='fail'
    )
}}

{% set text, bigint = dbt.type_string(), dbt.type_bigint() %}

with

stored as (

    {{ stored_rows({
        'sync_name': text,
        'row_key': text,
        'customer_id': text,
        'last_entry_number': bigint,
        'last_action': text,
        'last_status': text,
        'last_hash': text,
        'last_field_hashes': text,
        'last_attempt': dbt.type_int(),
        'last_run_id': text,
        'last_error_class': text,
        'last_error_code': text,
        'last_recorded_at': dbt.type_timestamp(),
        'delivered_entry_number': bigint,
        'delivered_action': text,
        'delivered_reason': text,
        'delivered_hash': text,
        'delivered_field_hashes': text,
        'remote_id': text,
        'open_calls': bigint,
        'open_upserts': bigint,
    }) }}

),

{{ fold_ledger('stored') }}

select {{ folded_columns() | join(', ') }} from folded
