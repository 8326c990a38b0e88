{# Takes syncs whose ledger is behind what was folded from it out of the fold: it was lost, set aside
   or restored from an older day. The fold must not speak for it, nor grow over its old numbers. #}
{% macro forget_lost_ledgers() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where sync_name in (
        select folded.sync_name
        from (
            select
                sync_name,
                max(last_entry_number) as entry_number
            from {{ this }}
            group by sync_name
        ) as folded
        left join (
            select
                sync_name,
                max(entry_number) as entry_number
            from {{ source('state', 'sync_ledger') }}
            group by sync_name
        ) as ledger
            on folded.sync_name = ledger.sync_name
        where coalesce(ledger.entry_number, 0) < folded.entry_number
    )
    {%- endif -%}
{%- endmacro %}
