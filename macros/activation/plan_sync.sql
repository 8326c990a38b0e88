{# What one sync has to do: its model against what the ledger says the destination holds.
   Unchanged rows are not in the plan. They are told by one join of two hashes, of the model and
   of the fold; everything else, exactly what the ledger says now, is looked up for the few rows
   that are left. #}
{% macro plan_sync(sync_name) %}
{%- set sync = sync_settings(sync_name) or {'columns': ['null'], 'key': 'null', 'mode': 'mirror'} -%}
{%- set lists_removals = sync.mode in ['archive', 'delete'] -%}
with

{{ removal_reasons(sync) }}

{{ compared_rows(sync, sync_name) }}

{{ described_rows(sync, sync_name) }}

decided as (

    select
        described.*,
        case
            when described.row_hash is null
                then coalesce(suppressions.reason, withdrawals.reason, 'left')
            {%- if lists_removals %}
            else 'listed'
            {%- endif %}
        end as removal_reason

    from described

    left join withdrawals
        on described.row_hash is null and described.customer_id = withdrawals.customer_id

    left join suppressions
        on described.row_hash is null and described.customer_id = suppressions.customer_id

    where
        described.row_hash is not null
        {%- if not lists_removals %}
        or (described.is_held and not described.is_wanted)
        {%- endif %}
        -- Taken away before they were erased.
        or (described.was_taken_away and suppressions.reason = 'erasure')

),

planned as (

    select
        '{{ sync_name }}' as sync_name,
        row_key,
        customer_id,
        case
            when removal_reason is not null then 'remove'
            when is_uncertain or is_rejected then 'retry'
            else 'upsert'
        end as action,
        case
            when removal_reason is not null then removal_reason
            when is_uncertain then 'uncertain'
            when is_rejected then 'rejected'
            when last_status in ('reset', 'drifted') then last_status
            when is_held then 'changed'
            when is_known then 'returned'
            else 'new'
        end as reason,
        case
            when row_hash is null then null
            when is_duplicate then 'duplicate_key'
            when remote_id is null and identifier is null then 'missing_identifier'
            {%- if sync.mode != 'append' and not lists_removals %}
            when remote_id is null and is_shared then 'shared_identifier'
            {%- endif %}
            when is_rejected and attempt > {{ sync_max_attempts() }} then 'attempts_exhausted'
        end as blocked_reason,
        row_hash,
        field_hashes,
        previous_hash,
        previous_field_hashes,
        version,
        remote_id,
        is_uncertain,
        cast(attempt as {{ dbt.type_int() }}) as attempt,
        ledger_entry_number

    from decided
    {%- if sync.mode == 'append' %}

    where removal_reason is null or removal_reason = 'erasure'
    {%- elif sync.mode in ['upsert', 'update_only', 'create_only'] %}

    where removal_reason is null or removal_reason != 'left'
    {%- endif %}

)

select * from planned
{%- endmacro %}
