select
    'shop:return-' || return_key as order_id,
    cast(null as {{ dbt.type_string() }}) as record_key,
    'shop' as source_name,
    'shop.returns' as source_table,
    'shop' as channel,
    'return' as order_type,
    'shop:' || order_key as original_order_id,
    'completed' as status,
    returned_at as ordered_at,
    {{ business_date("returned_at") }} as order_date,
    currency,
    {{ money('-abs(refund_amount)') }} as gross_amount,
    {{ money(0) }} as discount_amount,
    {{ money('-abs(refund_amount)') }} as net_amount,
    cast(null as {{ dbt.type_string() }}) as campaign_key,
    loaded_at

from {{ ref('stg_shop__returns') }}

where quarantine_reason is null
