-- What was kept of a purchase is reckoned in the currency it was paid in and converted once, at
-- the rate of the sale. Rounded one by one, 28.15 GBP (32.8511 EUR) and the returns of 8.22, 13.01
-- and 6.92 that take all of it back (32.8510) leave 0.0001; at the rates of two years, euros.

with

orders as (

    select * from {{ ref('orders') }}

),

counted as (

    select
        customer_id,
        order_id,
        original_order_id,
        order_type,
        order_date,
        currency,
        net_amount,
        net_amount_reporting,
        reporting_rate

    from orders

    where
        status = 'completed'
        and not is_future

),

-- A free order is no decision to buy.
purchases as (

    select * from counted

    where
        order_type = 'sale'
        and net_amount_reporting > 0

),

returned as (

    select
        purchases.order_id,
        sum(
            case when returns.currency = purchases.currency then returns.net_amount end
        ) as amount,
        -- Two currencies meet in the reporting one only.
        sum(
            case when returns.currency != purchases.currency then returns.net_amount_reporting end
        ) as foreign_amount_reporting

    from purchases

    inner join counted as returns
        on purchases.order_id = returns.original_order_id

    where returns.order_type = 'return'

    group by purchases.order_id

),

kept as (

    select
        purchases.order_id,
        purchases.customer_id,
        purchases.order_date,
        {{ money(
            money_in_reporting_currency(
                money('purchases.net_amount + coalesce(returned.amount, 0)'),
                'purchases.reporting_rate'
            ) ~ ' + coalesce(returned.foreign_amount_reporting, 0)'
        ) }} as kept_amount_reporting

    from purchases

    left join returned
        on purchases.order_id = returned.order_id

)

select * from kept
