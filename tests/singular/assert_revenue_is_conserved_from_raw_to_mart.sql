-- To the cent and per currency: what the good rows of the newest versions say is what the
-- mart counts. Amounts are read from staging, so conformed and marts are both covered.
with

shop_sales as (

    select
        order_key,
        currency,
        net_amount,
        status,
        row_number() over (
            partition by order_key
            order by
                loaded_at desc,
                {{ content_hash(['net_amount', 'net_amount + discount_amount', 'status']) }}
        ) as version_number

    from {{ ref('stg_shop__orders') }}

    where quarantine_reason is null

),

shop_refunds as (

    select distinct
        return_key,
        currency,
        abs(refund_amount) as refund_amount

    from {{ ref('stg_shop__returns') }}

    where quarantine_reason is null

),

expected as (

    select
        currency,
        sum(amount) as amount

    from (
        select
            currency,
            net_amount as amount

        from shop_sales

        where
            version_number = 1
            and status = 'completed'

        union all

        select
            currency,
            -refund_amount as amount

        from shop_refunds
    ) as amounts

    group by currency

),

actual as (

    select
        currency,
        sum(net_amount) as amount

    from {{ ref('orders') }}

    where source_name = 'shop'

    group by currency

)

select
    coalesce(expected.currency, actual.currency) as currency,
    expected.amount as expected_amount,
    actual.amount as actual_amount

from expected

full outer join actual
    on expected.currency = actual.currency

where coalesce(expected.amount, 0) != coalesce(actual.amount, 0)
