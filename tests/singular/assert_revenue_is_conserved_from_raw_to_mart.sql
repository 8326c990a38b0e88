-- To the cent: every good order, receipt and return of staging is in the mart with the
-- amount of a version loaded last, and the mart has nothing else.
{{ config(meta={'dagster': {'ref': {'name': 'orders'}}}) }}

with

staged as (

    select
        'shop:' || order_key as order_id,
        loaded_at,
        currency,
        case when status = 'completed' then net_amount else 0 end as net_amount

    from {{ ref('stg_shop__orders') }}

    where quarantine_reason is null

    union all

    select
        'shop:return-' || return_key as order_id,
        loaded_at,
        currency,
        -abs(refund_amount) as net_amount

    from {{ ref('stg_shop__returns') }}

    where quarantine_reason is null

    union all

    select
        'pos:' || receipt_key as order_id,
        loaded_at,
        currency,
        case when receipt_type = 'refund' then -abs(net_amount) else net_amount end as net_amount

    from {{ ref('stg_pos__receipts') }}

    where quarantine_reason is null

),

newest as (

    select
        order_id,
        max(loaded_at) as loaded_at

    from staged

    group by order_id

),

expected as (

    select distinct
        staged.order_id,
        staged.currency,
        staged.net_amount

    from staged

    inner join newest
        on
            staged.order_id = newest.order_id
            and staged.loaded_at = newest.loaded_at

),

actual as (

    select
        order_id,
        currency,
        net_amount

    from {{ ref('orders') }}

    where source_name in ('shop', 'pos')

),

missing as (

    select newest.order_id

    from newest

    left join actual
        on newest.order_id = actual.order_id

    where actual.order_id is null

),

different as (

    select actual.order_id

    from actual

    left join expected
        on
            actual.order_id = expected.order_id
            and actual.currency = expected.currency
            and actual.net_amount = expected.net_amount

    where expected.order_id is null

)

select order_id from missing
union all
select order_id from different
