select
    'pos:' || receipt_key as order_id,
    {{ record_key('pos', "loyalty_id") }} as record_key,
    'pos' as source_name,
    'pos.receipts' as source_table,
    'store' as channel,
    case when receipt_type = 'refund' then 'return' else 'sale' end as order_type,
    'pos:' || refund_of_receipt_key as original_order_id,
    'completed' as status,
    issued_at as ordered_at,
    {{ business_date("issued_at") }} as order_date,
    currency,
    case when receipt_type = 'refund' then -abs(net_amount) else net_amount end
        + case when receipt_type = 'refund' then 0 else discount_amount end as gross_amount,
    case when receipt_type = 'refund' then 0 else discount_amount end as discount_amount,
    case when receipt_type = 'refund' then -abs(net_amount) else net_amount end as net_amount,
    cast(null as {{ dbt.type_string() }}) as campaign_key,
    loaded_at

from {{ ref('stg_pos__receipts') }}

where quarantine_reason is null
