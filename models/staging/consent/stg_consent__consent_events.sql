with

source as (

    select * from {{ source('consent', 'consent_events') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("consent_id") }} as consent_key,

        ---------- subject
        {{ subject_identifier_type("subject_type") }} as identifier_type,
        {{ subject_identifier_value("subject_type", "subject_value") }} as identifier_value,

        ---------- attributes
        lower({{ clean_text("purpose") }}) as purpose,
        lower({{ clean_text("channel") }}) as channel,
        {{ normalize_consent_status("status") }} as status,
        lower({{ clean_text("lawful_basis") }}) as lawful_basis,
        lower({{ clean_text("collected_by") }}) as collected_by,
        {{ scrub_text("proof") }} as proof,

        ---------- timestamps
        {{ normalize_timestamp("captured_at") }} as captured_at,
        {{ normalize_timestamp("received_at") }} as received_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "consent_id",
            "subject_type",
            "subject_value",
            "purpose",
            "channel",
            "status",
            "lawful_basis",
            "captured_at",
            "received_at",
            "collected_by",
            "proof"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when consent_key is null then 'consent_id is missing'
            when identifier_type is null then 'subject_type is unknown'
            when identifier_value is null then 'subject_value is no address or key'
            -- A refusal needs neither: it refuses every purpose, on every channel.
            when status in ('denied', 'withdrawn', 'opted_out') then null
            when purpose is null then 'purpose is missing'
            when channel is null then 'channel is missing'
        end as quarantine_reason

    from renamed

)

select * from judged
