with

source as (

    select * from {{ source('pos', 'receipt_lines') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("receipt_line_id") }} as receipt_line_key,
        {{ clean_text("receipt_id") }} as receipt_key,
        {{ clean_text("product_id") }} as product_id,

        ---------- money
        cast({{ normalize_money("quantity", 0) }} as {{ dbt.type_bigint() }}) as quantity,
        {{ normalize_money("unit_price", 4) }} as unit_price,
        {{ normalize_money("line_amount", 4) }} as net_amount,

        ---------- timestamps
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "receipt_line_id",
            "receipt_id",
            "product_id",
            "quantity",
            "unit_price",
            "line_amount"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when receipt_line_key is null then 'receipt_line_id is missing'
            when receipt_key is null then 'receipt_id is missing'
            when net_amount is null then 'line_amount is no finite amount in range'
        end as quarantine_reason

    from renamed

)

select * from judged
