with

source as (

    select * from {{ source('shop', 'orders') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("order_id") }} as order_key,
        {{ clean_text("customer_id") }} as shop_customer_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,

        ---------- attributes
        {{ normalize_order_status("status") }} as status,
        lower({{ clean_text("utm_campaign") }}) as campaign_key,

        ---------- money
        {{ normalize_currency("currency") }} as currency,
        {{ normalize_money("total_amount", 4) }} as net_amount,
        coalesce({{ normalize_money("discount_amount", 4) }}, 0) as discount_amount,
        {{ normalize_money("tax_amount", 4) }} as tax_amount,
        {{ normalize_money("shipping_amount", 4) }} as shipping_amount,

        ---------- timestamps
        {{ normalize_timestamp("ordered_at") }} as ordered_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "order_id",
            "customer_id",
            "email",
            "ordered_at",
            "status",
            "currency",
            "total_amount",
            "discount_amount",
            "tax_amount",
            "shipping_amount",
            "utm_campaign",
            "updated_at"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when order_key is null then 'order_id is missing'
            when net_amount is null then 'total_amount is no finite amount in range'
            when currency is null then 'currency is unknown'
            when ordered_at is null then 'ordered_at is no date'
            when status is null then 'status is unknown'
        end as quarantine_reason

    from renamed

)

select * from judged
