with

source as (

    select * from {{ source('email', 'subscribers') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("email", "subscriber_id") }} as record_key,
        {{ clean_text("subscriber_id") }} as subscriber_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,

        ---------- attributes
        {{ normalize_name("first_name") }} as first_name,
        {{ normalize_language("language") }} as language,
        lower({{ clean_text("status") }}) as status,

        ---------- timestamps
        {{ normalize_timestamp("created_at") }} as created_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
