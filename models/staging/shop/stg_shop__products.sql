with

source as (

    select * from {{ source('shop', 'products') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("product_id") }} as product_id,

        ---------- attributes
        {{ clean_text("name") }} as product_name,
        {{ clean_text("category") }} as category,
        {{ clean_text("brand") }} as brand,

        ---------- money
        {{ normalize_money("price", 4) }} as list_price,
        {{ normalize_currency("currency") }} as currency,

        ---------- timestamps
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
