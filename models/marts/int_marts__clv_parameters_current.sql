with

clv_parameters as (

    select * from {{ source('state', 'clv_parameters') }}

),

clv_default_parameters as (

    select * from {{ ref('clv_default_parameters') }}

),

customer_orders_summary as (

    select * from {{ ref('customer_orders_summary') }}

),

spend_scale as (

    select
        cast(sum(net_revenue_reporting) as {{ type_double() }})
        / nullif(sum(order_day_count), 0) as mean_amount

    from customer_orders_summary

    where
        order_count > 0
        and net_revenue_reporting > 0

),

defaults as (

    select
        clv_default_parameters.model,
        clv_default_parameters.r,
        clv_default_parameters.alpha,
        clv_default_parameters.a,
        clv_default_parameters.b,
        clv_default_parameters.p,
        clv_default_parameters.q,
        -- gamma is in money, and another shop's money says nothing about ours.
        coalesce(
            clv_default_parameters.gamma,
            coalesce(spend_scale.mean_amount, 1)
            * (clv_default_parameters.q - 1) / clv_default_parameters.p
        ) as gamma

    from clv_default_parameters

    cross join spend_scale

),

candidates as (

    select
        model,
        as_of as fitted_on,
        r,
        alpha,
        a,
        b,
        p,
        q,
        gamma

    from clv_parameters

    -- A rebuild of a past day must not know what was fitted later.
    where
        is_selected
        and as_of <= {{ as_of_date() }}

    union all

    select
        model,
        cast(null as date) as fitted_on,
        r,
        alpha,
        a,
        b,
        p,
        q,
        gamma

    from defaults

),

ranked as (

    select
        *,
        row_number() over (
            partition by case when model = 'gamma_gamma' then 'spend' else 'purchase' end
            order by
                case when fitted_on is null then 1 else 0 end asc,
                fitted_on desc,
                model asc
        ) as candidate_rank

    from candidates

),

current_parameters as (

    select
        purchase.model as purchase_model,
        purchase.fitted_on as purchase_fitted_on,
        spend.fitted_on as spend_fitted_on,
        purchase.fitted_on is null as is_default_purchase,
        spend.fitted_on is null as is_default_spend,
        purchase.r,
        purchase.alpha,
        -- The closed forms divide by a - 1.
        case when abs(purchase.a - 1) < 1e-9 then 1 + 1e-9 else purchase.a end as a,
        purchase.b,
        -- MBG/NBD is BG/NBD with one more chance to drop out, right after the first order.
        case
            when purchase.model = 'mbg_nbd' then purchase.b + 1
            else purchase.b
        end as shifted_b,
        spend.p,
        spend.q,
        spend.gamma

    from ranked as purchase

    inner join ranked as spend
        on purchase.candidate_rank = spend.candidate_rank

    where
        purchase.candidate_rank = 1
        and purchase.model != 'gamma_gamma'
        and spend.model = 'gamma_gamma'

)

select * from current_parameters
