with

customer_orders_summary as (

    select * from {{ ref('customer_orders_summary') }}

),

rfm_cells as (

    select * from {{ ref('rfm_cells') }}

),

buyers as (

    select
        customer_id,
        {{ percent_rank_score('last_order_date') }} as recency_score,
        {{ percent_rank_score('order_day_count') }} as frequency_score,
        {{ percent_rank_score('net_revenue_reporting') }} as monetary_score

    from customer_orders_summary

    where order_count > 0

),

combined as (

    select
        *,
        -- Integer arithmetic: engines round a half differently.
        cast(
            floor((frequency_score + monetary_score + 1) / 2.0) as {{ dbt.type_int() }}
        ) as fm_score

    from buyers

),

scored as (

    select
        summaries.customer_id,
        summaries.as_of,
        cast(
            {{ dbt.datediff('summaries.last_order_date', 'summaries.as_of', 'day') }}
            as {{ dbt.type_int() }}
        ) as recency_days,
        summaries.order_day_count,
        summaries.net_revenue_reporting,
        combined.recency_score,
        combined.frequency_score,
        combined.monetary_score,
        combined.fm_score,
        case
            when summaries.order_count = 0 then 'Prospects'
            else rfm_cells.rfm_segment
        end as rfm_segment

    from customer_orders_summary as summaries

    left join combined
        on summaries.customer_id = combined.customer_id

    left join rfm_cells
        on
            combined.recency_score = rfm_cells.recency_score
            and combined.fm_score = rfm_cells.fm_score

)

select * from scored
