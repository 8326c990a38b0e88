with

source as (

    select * from {{ source('shop', 'returns') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("return_id") }} as return_key,
        {{ clean_text("order_id") }} as order_key,
        {{ clean_text("order_line_id") }} as order_line_key,
        {{ clean_text("product_id") }} as product_id,

        ---------- attributes
        {{ clean_text("reason") }} as return_reason,

        ---------- money
        cast({{ normalize_money("quantity", 0) }} as {{ dbt.type_bigint() }}) as quantity,
        {{ normalize_money("refund_amount", 4) }} as refund_amount,
        {{ normalize_currency("currency") }} as currency,

        ---------- timestamps
        {{ normalize_timestamp("returned_at") }} as returned_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "return_id",
            "order_id",
            "order_line_id",
            "product_id",
            "quantity",
            "refund_amount",
            "currency",
            "reason",
            "returned_at"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when return_key is null then 'return_id is missing'
            when refund_amount is null then 'refund_amount is no finite amount in range'
            when currency is null then 'currency is unknown'
            when returned_at is null then 'returned_at is no date'
        end as quarantine_reason

    from renamed

)

select * from judged
