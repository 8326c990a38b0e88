with

source as (

    select * from {{ source('pos', 'receipts') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("receipt_id") }} as receipt_key,
        {{ clean_text("store_id") }} as store_id,
        {{ null_if_placeholder("member_id") }} as loyalty_id,
        {{ clean_text("refund_of") }} as refund_of_receipt_key,

        ---------- attributes
        lower({{ clean_text("type") }}) as receipt_type,

        ---------- money
        {{ normalize_currency("currency") }} as currency,
        {{ normalize_money("total_amount", 4) }} as net_amount,
        coalesce({{ normalize_money("discount_amount", 4) }}, 0) as discount_amount,

        ---------- timestamps
        {{ local_to_utc("issued_at", store_time_zone("store_id")) }} as issued_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "receipt_id",
            "store_id",
            "till_id",
            "member_id",
            "issued_at",
            "type",
            "refund_of",
            "currency",
            "total_amount",
            "discount_amount"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when receipt_key is null then 'receipt_id is missing'
            when net_amount is null then 'total_amount is no finite amount in range'
            when currency is null then 'currency is unknown'
            when issued_at is null then 'issued_at is no date'
            when coalesce(receipt_type, '') not in ('sale', 'refund') then 'type is unknown'
        end as quarantine_reason

    from renamed

)

select * from judged
