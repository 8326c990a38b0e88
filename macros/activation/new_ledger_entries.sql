{% macro new_ledger_entries(stored) -%}
watermarks as (

    select
        sync_name,
        max(last_entry_number) as entry_number

    from {{ stored }} as stored

    group by sync_name

),

{# Two columns are read of the whole ledger, the others of what is new: half a plan's time. #}
numbers as (

    select
        ledger.sync_name,
        ledger.entry_number

    from {{ source('state', 'sync_ledger') }} as ledger

    left join watermarks
        on ledger.sync_name = watermarks.sync_name

    where watermarks.sync_name is null or ledger.entry_number > watermarks.entry_number

),

entries as (

    select ledger.*

    from {{ source('state', 'sync_ledger') }} as ledger

    inner join numbers
        on
            ledger.entry_number = numbers.entry_number
            and ledger.sync_name = numbers.sync_name

),
{%- endmacro %}
