with

versions as (

    {{ union_contributors('campaigns') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='campaign_id',
        order_by=['loaded_at desc'],
        content=['campaign_key', 'campaign_name']
    ) }}

),

final as (

    select
        campaign_id,
        campaign_key,
        channel,
        platform,
        campaign_name,
        started_at,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
