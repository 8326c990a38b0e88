{# What one sync has to do: its model against what the ledger says the destination holds.
   Unchanged rows are not in the plan. #}
{% macro plan_sync(sync_name, max_attempts=3) %}
{%- set sync = sync_settings(sync_name) or {'columns': [], 'key': 'null'} -%}
with

wanted as (

    select
        {{ sync.key }} as row_key,
        {{ row_hash(sync.columns, sync_name) }} as row_hash,
        {{ sync.match_on or sync.key }} as identifier,
        count(*) over (partition by {{ sync.match_on or sync.key }}) as rows_per_identifier

    from {{ ref(sync_name) }}

),

ledger as (

    select * from {{ ref('sync_ledger_current') }} where sync_name = '{{ sync_name }}'

),

withdrawals as (

    select
        customer_id,
        'consent' as reason

    from ({{ withdrawn_customers(sync.purpose, sync.channel) }}) as withdrawn_customers

),

suppressions as (

    -- Of several reasons the strongest is the first in the alphabet: erasure.
    select
        customer_id,
        min(reason) as reason

    from {{ ref('customer_suppressions') }}

    group by customer_id

),

compared as (

    select
        coalesce(wanted.row_key, ledger.row_key) as row_key,
        wanted.row_hash,
        wanted.identifier,
        wanted.rows_per_identifier,
        ledger.row_key is not null as is_known,
        coalesce(ledger.is_held, false) as is_held,
        coalesce(ledger.is_uncertain, false) as is_uncertain,
        case when ledger.is_held then ledger.delivered_hash end as previous_hash,
        ledger.remote_id,
        ledger.last_entry_number as ledger_entry_number,
        case
            when wanted.row_key is null and ledger.is_held
                then coalesce(suppressions.reason, withdrawals.reason, 'left')
        end as removal_reason,
        coalesce(
            ledger.last_status = 'rejected' and ledger.last_hash = wanted.row_hash, false
        ) as is_rejected,
        case
            when ledger.last_status != 'delivered' and (
                ledger.last_hash = wanted.row_hash
                or (wanted.row_key is null and ledger.last_action = 'remove')
            )
                then ledger.last_attempt + 1
            else 1
        end as attempt

    from wanted

    full outer join ledger
        on wanted.row_key = ledger.row_key

    left join withdrawals
        on ledger.row_key = withdrawals.customer_id

    left join suppressions
        on ledger.row_key = suppressions.customer_id

),

decided as (

    select
        *,
        case
            when removal_reason is not null
                {% if sync.mode == 'upsert' %}and removal_reason != 'left'{% endif %}
                then 'remove'
            when row_hash is null then null
            when is_uncertain then 'retry'
            when is_held and previous_hash = row_hash then null
            when is_rejected then 'retry'
            else 'upsert'
        end as action

    from compared

),

planned as (

    select
        '{{ sync_name }}' as sync_name,
        row_key,
        action,
        case
            when action = 'remove' then removal_reason
            when is_uncertain then 'uncertain'
            when is_rejected then 'rejected'
            when is_held then 'changed'
            when is_known then 'returned'
            else 'new'
        end as reason,
        case
            when action = 'remove' then null
            when remote_id is null and identifier is null then 'missing_identifier'
            when remote_id is null and rows_per_identifier > 1 then 'shared_identifier'
            when is_rejected and attempt > {{ max_attempts }} then 'attempts_exhausted'
        end as blocked_reason,
        row_hash,
        previous_hash,
        remote_id,
        is_uncertain,
        cast(attempt as {{ dbt.type_int() }}) as attempt,
        ledger_entry_number

    from decided

    where action is not null

)

select * from planned
{%- endmacro %}
