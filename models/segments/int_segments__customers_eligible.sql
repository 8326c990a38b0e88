-- What segments choose from: known customers with their traits and scores. Whoever asked
-- for erasure or restriction, or objected, is not here, and so in no segment.

{{ config(access='protected') }}

with

customers as (

    select * from {{ ref('customers') }}

),

traits as (

    select * from {{ ref('customer_traits') }}

),

rfm_scores as (

    select * from {{ ref('rfm_scores') }}

),

lifetime_values as (

    select * from {{ ref('customer_lifetime_value') }}

),

suppressions as (

    select * from {{ ref('customer_suppressions') }}

),

suppressed as (

    select distinct customer_id
    from suppressions

),

eligible as (

    select
        traits.*,
        customers.birth_date,
        customers.gender,
        customers.country,
        customers.language,
        customers.loyalty_tier,
        customers.income_band,
        customers.life_stage,
        customers.first_seen_at,
        rfm_scores.recency_score,
        rfm_scores.frequency_score,
        rfm_scores.monetary_score,
        rfm_scores.rfm_segment,
        lifetime_values.clv_12m,
        lifetime_values.p_alive

    from customers

    inner join traits
        on customers.customer_id = traits.customer_id

    left join rfm_scores
        on customers.customer_id = rfm_scores.customer_id

    left join lifetime_values
        on customers.customer_id = lifetime_values.customer_id

    left join suppressed
        on customers.customer_id = suppressed.customer_id

    where suppressed.customer_id is null

)

select * from eligible
