select
    'pos:' || receipt_line_key as order_line_id,
    'pos:' || receipt_key as order_id,
    product_id,
    quantity,
    unit_price,
    {{ money(0) }} as discount_amount,
    net_amount,
    cast(null as {{ dbt.type_string() }}) as currency,
    'pos' as source_name,
    'pos.receipt_lines' as source_table,
    loaded_at

from {{ ref('stg_pos__receipt_lines') }}

where quarantine_reason is null
