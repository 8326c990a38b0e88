with

source as (

    select * from {{ source('web', 'identifies') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("web", "anonymous_id") }} as record_key,
        {{ clean_text("event_id") }} as call_key,
        {{ null_if_placeholder("anonymous_id") }} as cookie_id,
        {{ null_if_placeholder("previous_anonymous_id") }} as previous_cookie_id,
        {{ null_if_placeholder("user_id") }} as login_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,

        ---------- timestamps
        {{ normalize_timestamp("received_at") }} as received_at,
        loaded_at

    from source

)

select * from renamed
