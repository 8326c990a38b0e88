select
    'shop:' || order_line_key as order_line_id,
    'shop:' || order_key as order_id,
    product_id,
    quantity,
    unit_price,
    discount_amount,
    net_amount,
    cast(null as {{ dbt.type_string() }}) as currency,
    'shop' as source_name,
    'shop.order_lines' as source_table,
    loaded_at

from {{ ref('stg_shop__order_lines') }}

where quarantine_reason is null
