with

customer_orders_summary as (

    select * from {{ ref('customer_orders_summary') }}

),

expectations as (

    select * from {{ ref('int_marts__clv_expectations') }}

),

parameters as (

    select * from {{ ref('int_marts__clv_parameters_current') }}

),

buyers as (

    select
        summaries.customer_id,
        summaries.as_of,
        summaries.repeat_count,
        summaries.age_weeks,
        parameters.purchase_model,
        parameters.is_default_purchase or parameters.is_default_spend as is_default_parameters,
        parameters.r,
        parameters.alpha,
        case
            when parameters.purchase_model = 'bg_nbd' and summaries.repeat_count = 0 then 1
            else {{ bgnbd_probability_alive(
                'summaries.repeat_count', 'summaries.recency_weeks', 'summaries.age_weeks',
                'parameters.r', 'parameters.alpha', 'parameters.a', 'parameters.shifted_b'
            ) }}
        end as p_alive,
        parameters.p
        * (
            parameters.gamma
            -- Whoever sent everything back is expected to keep little, not less than nothing.
            + summaries.repeat_count * greatest(coalesce(summaries.mean_repeat_amount, 0), 0)
        ) / (parameters.p * summaries.repeat_count + parameters.q - 1) as expected_spend

    from customer_orders_summary as summaries

    cross join parameters

    where summaries.order_count > 0

),

scored as (

    select
        buyers.customer_id,
        buyers.as_of,
        buyers.purchase_model,
        buyers.is_default_parameters,
        buyers.p_alive,
        buyers.p_alive * expectations.purchases_30d as expected_purchases_30d,
        buyers.p_alive * expectations.purchases_90d as expected_purchases_90d,
        buyers.p_alive * expectations.purchases_365d as expected_purchases_365d,
        {%- for days in [90, 365] %}
        {{ bgnbd_probability_no_purchase(
            'buyers.p_alive', 'buyers.repeat_count', 'buyers.age_weeks',
            '(' ~ days ~ ' / 7.0)', 'buyers.r', 'buyers.alpha'
        ) }} as p_no_purchase_{{ days }}d,
        {%- endfor %}
        cast(buyers.expected_spend as decimal(18, 2)) as expected_spend_reporting,
        cast(
            buyers.p_alive
            * expectations.discounted_purchases_12m
            * buyers.expected_spend
            * {{ var('clv_margin_rate') }} as decimal(18, 2)
        ) as clv_12m

    from buyers

    inner join expectations
        on
            buyers.repeat_count = expectations.repeat_count
            and buyers.age_weeks = expectations.age_weeks

)

select * from scored
