{% macro summarised_entries() -%}
positioned as (

    select
        *,
        max(entry_number) over (partition by sync_name, row_key) as last_entry_number,
        max(case when status = 'delivered' then entry_number end)
            over (partition by sync_name, row_key) as delivered_entry_number,
        max(case when status = 'drifted' then entry_number end)
            over (partition by sync_name, row_key) as drifted_entry_number,
        max(case when customer_id is not null then entry_number end)
            over (partition by sync_name, row_key) as named_entry_number,
        -- Only intents carry them; equal content has equal ones.
        max(field_hashes) over (partition by sync_name, row_key, row_hash)
            as content_field_hashes,
        -- Each attempt is an intent; a refusal settles one, a delivery all before it.
        case when status = 'intent' then 1 when status in ('rejected', 'unsent') then -1 else 0 end
            as open_calls

    from entries

),

summarised as (

    select
        sync_name,
        row_key,
        max(last_entry_number) as last_entry_number,
        max(delivered_entry_number) as delivered_entry_number,
        max(drifted_entry_number) as drifted_entry_number,
        max(case when entry_number = named_entry_number then customer_id end) as customer_id,
        {%- for column, name in {
            'action': 'last_action',
            'status': 'last_status',
            'attempt': 'last_attempt',
            'run_id': 'last_run_id',
            'error_class': 'last_error_class',
            'error_code': 'last_error_code',
            'row_hash': 'last_hash',
            'content_field_hashes': 'last_field_hashes',
            'recorded_at': 'last_recorded_at',
        }.items() %}
        max(case when entry_number = last_entry_number then {{ column }} end) as {{ name }},
        {%- endfor %}
        {%- for column, name in {
            'action': 'delivered_action',
            'reason': 'delivered_reason',
            'row_hash': 'delivered_hash',
            'content_field_hashes': 'delivered_field_hashes',
            'remote_id': 'remote_id',
        }.items() %}
        max(case when entry_number = delivered_entry_number then {{ column }} end) as {{ name }},
        {%- endfor %}
        sum(
            case when entry_number > coalesce(delivered_entry_number, 0) then open_calls else 0 end
        ) as open_calls,
        sum(
            case
                when entry_number > coalesce(delivered_entry_number, 0) and action = 'upsert'
                    then open_calls
                else 0
            end
        ) as open_upserts

    from positioned

    group by sync_name, row_key

),
{%- endmacro %}
