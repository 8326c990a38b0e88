with

source as (

    select * from {{ source('shop', 'order_lines') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("order_line_id") }} as order_line_key,
        {{ clean_text("order_id") }} as order_key,
        {{ clean_text("product_id") }} as product_id,

        ---------- money
        cast({{ normalize_money("quantity", 0) }} as {{ dbt.type_bigint() }}) as quantity,
        {{ normalize_money("unit_price", 4) }} as unit_price,
        coalesce({{ normalize_money("discount_amount", 4) }}, 0) as discount_amount,
        {{ normalize_money("line_amount", 4) }} as net_amount,

        ---------- timestamps
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "order_line_id",
            "order_id",
            "product_id",
            "quantity",
            "unit_price",
            "discount_amount",
            "line_amount"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when order_line_key is null then 'order_line_id is missing'
            when order_key is null then 'order_id is missing'
            when net_amount is null then 'line_amount is no finite amount in range'
        end as quarantine_reason

    from renamed

)

select * from judged
