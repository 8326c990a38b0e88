{# What the ledger comes to, per row, for the rows that entries beyond `stored` have touched.
   `stored` is the outcome of earlier folds, so a fold reads what is new and not the whole
   ledger; without it (a full refresh) everything is new. Entries of a sync are numbered by one
   writer, so the newest number that was folded is all there is to remember. #}
{% macro fold_ledger(stored) %}
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

positioned as (

    select
        *,
        max(entry_number) over (partition by sync_name, row_key) as last_entry_number,
        max(case when status = 'delivered' then entry_number end)
            over (partition by sync_name, row_key) as delivered_entry_number,
        max(case when status = 'drifted' then entry_number end)
            over (partition by sync_name, row_key) as drifted_entry_number,
        max(case when customer_id is not null then entry_number end)
            over (partition by sync_name, row_key) as named_entry_number,
        -- Only intents carry them; equal content has equal ones.
        max(field_hashes) over (partition by sync_name, row_key, row_hash)
            as content_field_hashes,
        -- Each attempt is an intent; a refusal settles one, a delivery all before it.
        case when status = 'intent' then 1 when status in ('rejected', 'unsent') then -1 else 0 end
            as open_calls

    from entries

),

summarised as (

    select
        sync_name,
        row_key,
        max(last_entry_number) as last_entry_number,
        max(delivered_entry_number) as delivered_entry_number,
        max(drifted_entry_number) as drifted_entry_number,
        max(case when entry_number = named_entry_number then customer_id end) as customer_id,
        {%- for column, name in {
            'action': 'last_action',
            'status': 'last_status',
            'attempt': 'last_attempt',
            'run_id': 'last_run_id',
            'error_class': 'last_error_class',
            'error_code': 'last_error_code',
            'row_hash': 'last_hash',
            'content_field_hashes': 'last_field_hashes',
            'recorded_at': 'last_recorded_at',
        }.items() %}
        max(case when entry_number = last_entry_number then {{ column }} end) as {{ name }},
        {%- endfor %}
        {%- for column, name in {
            'action': 'delivered_action',
            'row_hash': 'delivered_hash',
            'content_field_hashes': 'delivered_field_hashes',
            'remote_id': 'remote_id',
        }.items() %}
        max(case when entry_number = delivered_entry_number then {{ column }} end) as {{ name }},
        {%- endfor %}
        sum(
            case when entry_number > coalesce(delivered_entry_number, 0) then open_calls else 0 end
        ) as open_calls,
        sum(
            case
                when entry_number > coalesce(delivered_entry_number, 0) and action = 'upsert'
                    then open_calls
                else 0
            end
        ) as open_upserts

    from positioned

    group by sync_name, row_key

),

{# Where nothing was delivered since, what was stored about the delivery still holds. #}
advanced as (

    select
        fresh.sync_name,
        fresh.row_key,
        fresh.last_entry_number,
        fresh.last_action,
        fresh.last_status,
        fresh.last_attempt,
        fresh.last_run_id,
        fresh.last_error_class,
        fresh.last_error_code,
        fresh.last_hash,
        coalesce(
            fresh.last_field_hashes,
            case when stored.last_hash = fresh.last_hash then stored.last_field_hashes end
        ) as last_field_hashes,
        fresh.last_recorded_at,
        coalesce(fresh.customer_id, stored.customer_id) as customer_id,
        coalesce(fresh.delivered_entry_number, stored.delivered_entry_number)
            as delivered_entry_number,
        -- What has drifted is not what was delivered, so it counts as unknown content.
        case
            when fresh.drifted_entry_number > coalesce(fresh.delivered_entry_number, 0) then null
            when fresh.delivered_entry_number is null then stored.delivered_hash
            else fresh.delivered_hash
        end as delivered_hash,
        case
            when fresh.drifted_entry_number > coalesce(fresh.delivered_entry_number, 0) then null
            when fresh.delivered_entry_number is null then stored.delivered_field_hashes
            when fresh.delivered_field_hashes is not null then fresh.delivered_field_hashes
            when stored.last_hash = fresh.delivered_hash then stored.last_field_hashes
        end as delivered_field_hashes,
        case
            when fresh.delivered_entry_number is null then stored.delivered_action
            else fresh.delivered_action
        end as delivered_action,
        case
            when fresh.delivered_entry_number is null then stored.remote_id
            else fresh.remote_id
        end as remote_id,
        stored.remote_id as former_remote_id,
        fresh.open_calls
        + case when fresh.delivered_entry_number is null then coalesce(stored.open_calls, 0) else 0 end
            as open_calls,
        fresh.open_upserts
        + case
            when fresh.delivered_entry_number is null then coalesce(stored.open_upserts, 0) else 0
        end as open_upserts

    from summarised as fresh

    left join {{ stored }} as stored
        on fresh.sync_name = stored.sync_name and fresh.row_key = stored.row_key

),

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
