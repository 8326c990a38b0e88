with

versions as (

    select
        *,
        country || '-' || postcode as place_key

    from {{ ref('stg_enrichment__postcodes') }}

    where
        country is not null
        and postcode is not null

),

newest as (

    {{ deduplicate(
        'versions',
        key='place_key',
        order_by=['loaded_at desc'],
        content=['income_band', 'urbanity', 'median_age']
    ) }}

),

final as (

    select
        country,
        postcode,
        income_band,
        urbanity,
        median_age

    from newest

)

select * from final
