{# Syncs whose ledger is behind what was folded from it: it was lost, set aside or restored from
   an older day. The fold must not speak for it. #}
{% macro syncs_with_lost_ledger(folded) -%}
    select stored.sync_name
    from (
        select
            sync_name,
            max(last_entry_number) as entry_number
        from {{ folded }}
        group by sync_name
    ) as stored
    left join (
        select
            sync_name,
            max(entry_number) as entry_number
        from {{ source('state', 'sync_ledger') }}
        group by sync_name
    ) as ledger
        on stored.sync_name = ledger.sync_name
    where coalesce(ledger.entry_number, 0) < stored.entry_number
{%- endmacro %}
