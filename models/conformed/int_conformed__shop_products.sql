select
    product_id,
    product_name,
    category,
    brand,
    list_price,
    currency,
    'shop' as source_name,
    'shop.products' as source_table,
    loaded_at

from {{ ref('stg_shop__products') }}

where product_id is not null
