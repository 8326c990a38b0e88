with

versions as (

    {{ union_contributors('campaign_costs') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='campaign_cost_id',
        order_by=['loaded_at desc'],
        content=['cost_amount', 'clicks', 'impressions']
    ) }}

),

final as (

    select
        campaign_cost_id,
        campaign_id,
        cost_date,
        impressions,
        clicks,
        cost_amount,
        currency,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
