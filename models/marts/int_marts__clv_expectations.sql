-- The costly part of the score, the series, depends on a customer through (x, T) alone. It
-- runs over their distinct pairs: some thousands for a million customers.

{{ config(pre_hook="{{ disable_jit() }}") }}

{%- set discount = 1 + var('clv_discount_rate') %}

with

clv_histogram as (

    select * from {{ ref('clv_histogram') }}

),

parameters as (

    select * from {{ ref('int_marts__clv_parameters_current') }}

),

histories as (

    select distinct
        repeat_count,
        age_weeks

    from clv_histogram

),

-- A purchase later in the year is worth less today. Discounting each month's purchases,
-- sum of d(k) * (E(k) - E(k-1)), is summed by parts: sum of E(k) * (d(k) - d(k+1)).
horizons as (

    select
        30 as horizon_days,
        cast(30 as {{ type_double() }}) / 7 as weeks,
        cast(0 as {{ type_double() }}) as discount_weight

    union all

    select
        90 as horizon_days,
        cast(90 as {{ type_double() }}) / 7 as weeks,
        cast(0 as {{ type_double() }}) as discount_weight
    {% for month in range(1, 13) %}
        {%- set weight = discount ** (-month / 12) %}
        {%- if month < 12 %}{% set weight = weight - discount ** (-(month + 1) / 12) %}{% endif %}
        union all

        select
            {{ 365 if month == 12 else 0 }} as horizon_days,
            cast({{ month * 365 }} as {{ type_double() }}) / 84 as weeks,
            cast({{ weight }} as {{ type_double() }}) as discount_weight
    {% endfor %}
),

-- distinct, though no row is there twice: without it PostgreSQL pulls the series into each
-- of the sums below and computes it four times.
purchases_if_alive as (

    select distinct
        histories.repeat_count,
        histories.age_weeks,
        horizons.horizon_days,
        horizons.discount_weight,
        {{ bgnbd_expected_purchases(
            'histories.repeat_count', 'histories.age_weeks', 'horizons.weeks',
            'parameters.r', 'parameters.alpha', 'parameters.a', 'parameters.shifted_b',
            terms=var('clv_series_terms')
        ) }} as purchases

    from histories

    cross join horizons

    cross join parameters

),

expectations as (

    select
        repeat_count,
        age_weeks,
        max(case when horizon_days = 30 then purchases end) as purchases_30d,
        max(case when horizon_days = 90 then purchases end) as purchases_90d,
        max(case when horizon_days = 365 then purchases end) as purchases_365d,
        -- Doubles add up to another last digit in another order; decimals do not.
        cast(
            sum(cast(purchases * discount_weight as decimal(28, 15))) as {{ type_double() }}
        ) as discounted_purchases_12m

    from purchases_if_alive

    group by repeat_count, age_weeks

)

select * from expectations
