{% macro compared_rows(sync, sync_name) -%}
unfolded as (

    select *

    from {{ ref('sync_ledger_unfolded') }}

    where sync_name = '{{ sync_name }}'

),

-- By the fold alone, a table, so that this is one join of two tables.
compared as (

    select coalesce(wanted.row_key, folded.row_key) as row_key

    from (
        select
            {{ sync.key }} as row_key,
            {{ row_hash(sync.columns, sync.key, sync_name) }} as row_hash
        from {{ ref(sync_name) }}
        where {{ sync.key }} is not null
    ) as wanted

    full outer join (
        select
            row_key,
            is_held,
            is_uncertain,
            delivered_entry_number,
            delivered_hash
        from {{ ref('sync_ledger_folded') }}
        where sync_name = '{{ sync_name }}'
    ) as folded
        on wanted.row_key = folded.row_key

    where
        (wanted.row_key is not null and {{ is_due(sync, 'wanted.row_hash', 'folded') }})
        or (wanted.row_key is null and folded.is_held)

),

left_before_erasure as (

    select folded.row_key

    from {{ ref('sync_ledger_folded') }} as folded

    inner join suppressions
        on coalesce(folded.customer_id, folded.row_key) = suppressions.customer_id

    where
        folded.sync_name = '{{ sync_name }}'
        and {{ was_taken_away('folded') }}
        and suppressions.reason = 'erasure'

),

untouched as (

    select row_key

    from (
        select row_key from compared
        union
        select row_key from left_before_erasure
    ) as concerned

    where
        not exists (
            select 1
            from unfolded
            where unfolded.row_key = concerned.row_key
        )

),

-- Whatever the fold says of a row that was touched since, it is looked at.
candidates as (

    select row_key from untouched
    union all
    select row_key from unfolded

),

{% set columns %}
        row_key,
        is_held,
        is_uncertain,
        customer_id,
        last_entry_number,
        last_action,
        last_status,
        last_hash,
        last_attempt,
        delivered_entry_number,
        delivered_action,
        delivered_reason,
        delivered_hash,
        delivered_field_hashes,
        owned_remote_id as remote_id
{%- endset -%}

-- Not from sync_ledger_current: to find a few rows behind its union, DuckDB reads the whole fold,
-- a sixth of a plan of ten million.
known as (

    select {{ columns }}

    from {{ ref('sync_ledger_folded') }}

    where sync_name = '{{ sync_name }}' and row_key in (select row_key from untouched)

    union all

    select {{ columns }}

    from unfolded

),
{%- endmacro %}
