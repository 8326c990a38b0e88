{# What one sync has to do: its model against what the ledger says the destination holds.
   Unchanged rows are not in the plan. They are told by one join of two hashes; everything else
   is looked up for the few rows that are left. #}
{% macro plan_sync(sync_name) %}
{%- set sync = sync_settings(sync_name) or {'columns': ['null'], 'key': 'null', 'mode': 'mirror'} -%}
{%- set identifier = sync.match_on or sync.key -%}
{%- set lists_removals = sync.mode in ['archive', 'delete'] -%}
{%- set model, ledger = ref(sync_name), ref('sync_ledger_current') -%}
with

{{ removal_reasons(sync) }}

{{ compared_rows(sync, sync_name) }}

known as (

    select *

    from {{ ledger }}

    where sync_name = '{{ sync_name }}' and row_key in (select row_key from candidates)

),

contents as (

    select
        {{ sync.key }} as row_key,
        count(*) as rows_per_key,
        min({{ identifier }}) as identifier,
        min({{ sync.person or sync.key }}) as customer_id,
        min({{ field_hashes(sync.columns, sync.key, sync_name) }}) as field_hashes

    from {{ model }}

    where {{ sync.key }} in (select row_key from candidates where row_hash is not null)

    group by {{ sync.key }}

),

shared_identifiers as (

    select {{ identifier }} as identifier

    from {{ model }}

    where {{ identifier }} in (select identifier from contents)

    group by {{ identifier }}

    having count(*) > 1

),

{{ described_rows() }}

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
