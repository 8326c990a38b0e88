with

source as (

    select * from {{ source('support', 'requesters') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("support", "requester_id") }} as record_key,
        {{ clean_text("requester_id") }} as requester_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,
        {{ normalize_phone("phone") }} as phone,
        phone as phone_raw,

        ---------- attributes
        {{ normalize_name("name") }} as full_name,
        {{ normalize_language("language") }} as language,

        ---------- timestamps
        {{ normalize_timestamp("created_at") }} as created_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
