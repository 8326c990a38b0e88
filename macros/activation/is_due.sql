{# Whether there is something to do about a row of the model, by what the ledger says of its key.
   `archive` and `delete` list who is to go, `append` and `create_only` write a key once: what was
   delivered is done with, whatever its content. #}
{% macro is_due(sync, row_hash, ledger) -%}
{%- if sync.mode in ['append', 'create_only', 'archive', 'delete'] -%}
({{ ledger }}.delivered_entry_number is null or {{ ledger }}.is_uncertain)
{%- else -%}
{{ row_hash }} != coalesce(
    case when {{ ledger }}.is_held and not {{ ledger }}.is_uncertain then {{ ledger }}.delivered_hash end,
    ''
)
{%- endif -%}
{%- endmacro %}
