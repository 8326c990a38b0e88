{# By name, in the order of sync_ledger_folded. #}
{% macro folded_columns() %}
    {{ return([
        'sync_name', 'row_key', 'is_held', 'is_uncertain', 'customer_id',
        'last_entry_number', 'last_action', 'last_status', 'last_hash', 'last_field_hashes',
        'last_attempt', 'last_run_id', 'last_error_class', 'last_error_code', 'last_recorded_at',
        'delivered_entry_number', 'delivered_action', 'delivered_reason', 'delivered_hash',
        'delivered_field_hashes', 'remote_id', 'owned_remote_id', 'open_calls', 'open_upserts',
    ]) }}
{% endmacro %}
