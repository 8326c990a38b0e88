-- The type of the receipt decides its sign: some tills print refunds as positive totals.
with

receipts as (

    select
        *,
        receipt_type = 'refund' as is_refund

    from {{ ref('stg_pos__receipts') }}

    where quarantine_reason is null

),

signed as (

    select
        *,
        case when is_refund then -abs(net_amount) else net_amount end as signed_amount,
        case when is_refund then 0 else discount_amount end as sale_discount

    from receipts

),

final as (

    select
        'pos:' || receipt_key as order_id,
        {{ record_key('pos', "loyalty_id") }} as record_key,
        'pos' as source_name,
        'pos.receipts' as source_table,
        'store' as channel,
        case when is_refund then 'return' else 'sale' end as order_type,
        'pos:' || refund_of_receipt_key as original_order_id,
        'completed' as status,
        issued_at as ordered_at,
        {{ business_date("issued_at") }} as order_date,
        currency,
        {{ money('signed_amount + sale_discount') }} as gross_amount,
        {{ money('sale_discount') }} as discount_amount,
        {{ money('signed_amount') }} as net_amount,
        cast(null as {{ dbt.type_string() }}) as campaign_key,
        loaded_at

    from signed

)

select * from final
