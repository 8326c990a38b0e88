with

source as (

    select * from {{ source('pos', 'members') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("pos", "member_id") }} as record_key,
        {{ null_if_placeholder("member_id") }} as loyalty_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,
        {{ normalize_phone("phone", "country") }} as phone,
        phone as phone_raw,

        ---------- attributes
        {{ normalize_name("first_name") }} as first_name,
        {{ normalize_name("last_name") }} as last_name,
        {{ normalize_birth_date("birth_date", as_of_date()) }} as birth_date,
        {{ normalize_gender("gender") }} as gender,
        {{ normalize_postcode("postcode", "country") }} as postcode,
        {{ clean_text("city") }} as city,
        {{ normalize_country("country") }} as country,
        lower({{ clean_text("tier") }}) as loyalty_tier,
        {{ clean_text("home_store_id") }} as home_store_id,

        ---------- timestamps
        {{ normalize_timestamp("joined_at") }} as created_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
