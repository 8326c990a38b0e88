with

versions as (

    {{ union_contributors('products') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='product_id',
        order_by=['loaded_at desc'],
        content=['product_name', 'list_price', 'category']
    ) }}

),

final as (

    select
        product_id,
        product_name,
        category,
        brand,
        list_price,
        currency,
        source_name,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
