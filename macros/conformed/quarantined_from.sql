{% macro quarantined_from(model, source_table, key) -%}
    select
        '{{ source_table }}' as source_table,
        {{ key }} as row_key,
        quarantine_reason,
        raw_row,
        loaded_at

    from {{ ref(model) }}

    where quarantine_reason is not null
{%- endmacro %}
