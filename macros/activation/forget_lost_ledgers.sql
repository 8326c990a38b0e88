{# Takes syncs whose ledger was lost out of the fold, before it grows over the old numbers. #}
{% macro forget_lost_ledgers() -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where sync_name in ({{ syncs_with_lost_ledger(this) }})
    {%- endif -%}
{%- endmacro %}
