{# What the ledger comes to, per row, for the rows that entries beyond `stored` have touched.
   `stored` is the outcome of earlier folds, so a fold reads what is new and not the whole
   ledger; without it (a full refresh) everything is new. Entries of a sync are numbered by one
   writer, so the newest number that was folded is all there is to remember. #}
{% macro fold_ledger(stored) %}
{{ new_ledger_entries(stored) }}

{{ summarised_entries() }}

{{ advanced_rows(stored) }}

touched_records as (

    select sync_name, remote_id from advanced where remote_id is not null
    union
    select sync_name, former_remote_id from advanced where former_remote_id is not null

),

{%- set columns = folded_columns() | reject('in', ['is_held', 'is_uncertain', 'owned_remote_id']) | list %}

concerned as (

    select {{ columns | join(', ') }} from advanced
    union all
    select {% for column in columns %}stored.{{ column }}{{ ', ' if not loop.last }}{% endfor %}

    from {{ stored }} as stored

    inner join touched_records
        on
            stored.sync_name = touched_records.sync_name
            and stored.remote_id = touched_records.remote_id

    left join advanced
        on stored.sync_name = advanced.sync_name and stored.row_key = advanced.row_key

    where advanced.row_key is null

),

owners as (

    select
        sync_name,
        remote_id,
        max(delivered_entry_number) as entry_number

    from concerned

    where remote_id is not null

    group by sync_name, remote_id

),

{% set is_owner -%}
(concerned.remote_id is null or concerned.delivered_entry_number = owners.entry_number)
{%- endset %}

folded as (

    select
        {%- for column in columns %}
        {%- if column in ['open_calls', 'open_upserts'] %}
        cast(concerned.{{ column }} as {{ dbt.type_bigint() }}) as {{ column }},
        {%- else %}
        concerned.{{ column }},
        {%- endif %}
        {%- endfor %}
        coalesce(
            concerned.open_upserts > 0
            or (concerned.delivered_action = 'upsert' and {{ is_owner }}),
            false
        ) as is_held,
        concerned.open_calls > 0 as is_uncertain,
        -- Two customers merged: the record is the survivor's as soon as it is written, and
        -- what happens to the other one must not touch it, not even their return.
        case when {{ is_owner }} then concerned.remote_id end as owned_remote_id

    from concerned

    left join owners
        on concerned.sync_name = owners.sync_name and concerned.remote_id = owners.remote_id

)
{%- endmacro %}
