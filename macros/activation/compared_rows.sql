{% macro compared_rows(sync, sync_name) -%}
{%- set lists_removals = sync.mode in ['archive', 'delete'] -%}
{%- set writes_once = sync.mode in ['append', 'create_only'] -%}
compared as (

    select
        coalesce(wanted.row_key, ledger.row_key) as row_key,
        wanted.row_hash

    from (
        select
            {{ sync.key }} as row_key,
            {{ row_hash(sync.columns, sync_name) }} as row_hash
        from {{ ref(sync_name) }}
        where {{ sync.key }} is not null
    ) as wanted

    full outer join (
        select
            row_key,
            is_held,
            -- What there is nothing to do about, if it is wanted.
            {%- if writes_once or lists_removals %}
            not is_uncertain and delivered_entry_number is not null as is_settled
            {%- else %}
            case when is_held and not is_uncertain then delivered_hash end as settled_hash
            {%- endif %}
        from {{ ref('sync_ledger_current') }}
        where sync_name = '{{ sync_name }}'
    ) as ledger
        on wanted.row_key = ledger.row_key

    where
        {%- if writes_once or lists_removals %}
        (wanted.row_hash is not null and not coalesce(ledger.is_settled, false))
        {%- else %}
        (wanted.row_hash is not null and wanted.row_hash != coalesce(ledger.settled_hash, ''))
        {%- endif %}
        {%- if not lists_removals %}
        or (wanted.row_hash is null and ledger.is_held)
        {%- endif %}

),

left_before_erasure as (

    -- Emptied, archived or taken off a list, they are still a record over there.
    select
        ledger.row_key,
        cast(null as {{ dbt.type_string() }}) as row_hash

    from {{ ref('sync_ledger_current') }} as ledger

    inner join suppressions
        on coalesce(ledger.customer_id, ledger.row_key) = suppressions.customer_id

    where
        ledger.sync_name = '{{ sync_name }}'
        and not ledger.is_held
        and ledger.delivered_action = 'remove'
        and coalesce(ledger.delivered_reason, 'left') != 'erasure'
        and suppressions.reason = 'erasure'

),

candidates as (

    -- A key that the model has twice is one row, which is blocked.
    select
        row_key,
        min(row_hash) as row_hash

    from (
        select * from compared
        union all
        select * from left_before_erasure
    ) as concerned

    group by row_key

),
{%- endmacro %}
