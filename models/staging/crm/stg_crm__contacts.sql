with

source as (

    select * from {{ source('crm', 'contacts') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("crm", "contact_id") }} as record_key,
        {{ clean_text("contact_id") }} as contact_id,
        {{ clean_text("account_id") }} as account_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,
        {{ normalize_phone("phone", "country") }} as phone,
        phone as phone_raw,
        {{ normalize_boolean("is_email_verified") }} as is_email_verified,

        ---------- attributes
        {{ normalize_name("first_name") }} as first_name,
        {{ normalize_name("last_name") }} as last_name,
        {{ normalize_birth_date("birth_date", as_of_date()) }} as birth_date,
        {{ normalize_gender("gender") }} as gender,
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
