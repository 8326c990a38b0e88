-- Who has asked to be erased, and what is to be waited for: once their rows are gone from here,
-- nobody could say any more who is to be erased over there.

with

requests as (

    select * from {{ ref('customer_suppressions') }}

    where reason = 'erasure'

),

erasures as (

    select * from {{ source('state', 'erasures') }}

),

known_as as (

    {{ for_former_ids('requests') }}

),

-- A sync forgets these once the destination has erased the person (sync_rows_to_forget).
remembered_rows as (

    select distinct
        known_as.current_customer_id as customer_id,
        ledger.sync_name,
        ledger.row_key

    from {{ source('state', 'sync_ledger') }} as ledger

    inner join known_as
        on coalesce(ledger.customer_id, ledger.row_key) = known_as.customer_id

    where
        ledger.row_hash is not null
        or ledger.field_hashes is not null
        or ledger.remote_id is not null

),

remembered as (

    select
        customer_id,
        count(*) as row_count,
        min(sync_name) as sync_name

    from remembered_rows

    group by customer_id

),

open_requests as (

    select
        requests.request_id,
        requests.customer_id,
        requests.requested_at,
        cast(
            {{ dbt.dateadd(
                'day', var('privacy_request_due_days'), 'requests.requested_at'
            ) }} as date
        ) as due_on,
        remembered.sync_name as waits_for,
        cast(coalesce(remembered.row_count, 0) as {{ dbt.type_bigint() }}) as destination_row_count,
        case when remembered.row_count > 0 then 'waiting' else 'ready' end as status,
        cast(null as {{ dbt.type_timestamp() }}) as erased_at

    from requests

    left join remembered
        on requests.customer_id = remembered.customer_id

    left join erasures
        on requests.request_id = erasures.request_id

    where erasures.request_id is null

),

done_requests as (

    select
        request_id,
        cast(null as {{ dbt.type_string() }}) as customer_id,
        requested_at,
        cast(
            {{ dbt.dateadd('day', var('privacy_request_due_days'), 'requested_at') }} as date
        ) as due_on,
        cast(null as {{ dbt.type_string() }}) as waits_for,
        cast(0 as {{ dbt.type_bigint() }}) as destination_row_count,
        'erased' as status,
        erased_at

    from erasures

)

select * from open_requests
union all
select * from done_requests
