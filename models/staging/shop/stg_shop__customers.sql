with

source as (

    select * from {{ source('shop', 'customers') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("shop", "customer_id") }} as record_key,
        {{ clean_text("customer_id") }} as shop_customer_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,
        {{ normalize_phone("phone", "country") }} as phone,
        phone as phone_raw,

        ---------- attributes
        {{ normalize_name("first_name") }} as first_name,
        {{ normalize_name("last_name") }} as last_name,
        {{ clean_text("street") }} as street,
        {{ normalize_postcode("postcode", "country") }} as postcode,
        {{ clean_text("city") }} as city,
        {{ normalize_country("country") }} as country,
        {{ normalize_language("language") }} as language,

        ---------- timestamps
        {{ normalize_timestamp("created_at") }} as created_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
