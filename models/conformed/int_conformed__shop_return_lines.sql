select
    'shop:return-' || return_key as order_line_id,
    'shop:return-' || return_key as order_id,
    product_id,
    -abs(quantity) as quantity,
    cast(null as decimal(18, 4)) as unit_price,
    {{ money(0) }} as discount_amount,
    {{ money('-abs(refund_amount)') }} as net_amount,
    cast(null as {{ dbt.type_string() }}) as currency,
    'shop' as source_name,
    'shop.returns' as source_table,
    loaded_at

from {{ ref('stg_shop__returns') }}

where quarantine_reason is null
