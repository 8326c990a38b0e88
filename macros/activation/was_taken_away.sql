{# Emptied, archived or taken off a list: still a record over there, which an erasure has to reach. #}
{% macro was_taken_away(ledger) -%}
{{ ledger }}.delivered_action = 'remove' and coalesce({{ ledger }}.delivered_reason, 'left') != 'erasure'
{%- endmacro %}
