with

source as (

    select * from {{ source('privacy', 'privacy_requests') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("request_id") }} as request_id,

        ---------- attributes
        lower({{ clean_text("request_type") }}) as request_type,

        ---------- subject
        {{ subject_identifier_type("subject_type") }} as identifier_type,
        {{ subject_identifier_value("subject_type", "subject_value") }} as identifier_value,

        ---------- attributes
        coalesce({{ normalize_boolean("is_verified") }}, false) as is_verified,

        ---------- timestamps
        {{ normalize_timestamp("requested_at") }} as requested_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "request_id",
            "request_type",
            "subject_type",
            "subject_value",
            "requested_at",
            "is_verified"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when request_id is null then 'request_id is missing'
            when request_type is null then 'request_type is missing'
            when identifier_type is null then 'subject_type is unknown'
            when identifier_value is null then 'subject_value is no address or key'
        end as quarantine_reason

    from renamed

)

select * from judged
