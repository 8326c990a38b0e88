select
    'shop:' || order_key as order_id,
    case
        when shop_customer_id is not null then {{ record_key('shop', "shop_customer_id") }}
        when email is not null then {{ record_key('shop', "'guest-' || order_key") }}
    end as record_key,
    'shop' as source_name,
    'shop.orders' as source_table,
    'shop' as channel,
    'sale' as order_type,
    cast(null as {{ dbt.type_string() }}) as original_order_id,
    status,
    ordered_at,
    {{ business_date("ordered_at") }} as order_date,
    currency,
    {{ money('net_amount + discount_amount') }} as gross_amount,
    discount_amount,
    {{ money("case when status = 'completed' then net_amount else 0 end") }} as net_amount,
    campaign_key,
    loaded_at

from {{ ref('stg_shop__orders') }}

where quarantine_reason is null
