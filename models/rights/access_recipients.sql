-- Which destinations have had, or have, rows of somebody who asks.

with

requests as (

    select
        request_id,
        customer_id,
        'access' as reason

    from {{ ref('access_requests') }}

),

people as (

    select distinct
        customer_id,
        reason

    from requests

),

known_as as (

    {{ for_former_ids('people') }}

),

ledger as (

    select * from {{ ref('sync_ledger_current') }}

    -- Something was sent; the rest was refused, or never left.
    where delivered_entry_number is not null or is_held

),

recipients as (

    select
        requests.request_id,
        ledger.sync_name,
        cast(count(*) as {{ dbt.type_bigint() }}) as row_count,
        cast(
            sum(case when ledger.is_held then 1 else 0 end) as {{ dbt.type_bigint() }}
        ) as held_row_count,
        max(ledger.last_recorded_at) as last_sent_at

    from ledger

    inner join known_as
        on coalesce(ledger.customer_id, ledger.row_key) = known_as.customer_id

    inner join requests
        on known_as.current_customer_id = requests.customer_id

    group by
        requests.request_id,
        ledger.sync_name

)

select * from recipients
