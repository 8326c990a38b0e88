-- Probabilities within 0 and 1, longer horizons with more purchases and a smaller chance of
-- none, and no one-time buyer who is certain to come back.

with

customer_lifetime_value as (

    select * from {{ ref('customer_lifetime_value') }}

),

incoherent as (

    select *

    from customer_lifetime_value

    where not (
        p_alive between 0 and 1
        and p_no_purchase_90d between 0 and 1
        and p_no_purchase_365d between 0 and p_no_purchase_90d
        and p_no_purchase_90d > 0
        and expected_purchases_30d >= 0
        and expected_purchases_90d >= expected_purchases_30d
        and expected_purchases_365d >= expected_purchases_90d
        and expected_spend_reporting >= 0
        and clv_12m >= 0
    )

)

select * from incoherent
