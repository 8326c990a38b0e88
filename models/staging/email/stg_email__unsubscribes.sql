with

source as (

    select * from {{ source('email', 'unsubscribes') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("email", "subscriber_id") }} as record_key,
        {{ clean_text("event_id") }} as event_key,
        {{ clean_text("campaign_id") }} as campaign_native_id,

        ---------- timestamps
        {{ normalize_timestamp("event_at") }} as occurred_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "event_id",
            "send_id",
            "campaign_id",
            "subscriber_id",
            "event_at"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when event_key is null then 'event_id is missing'
            -- A withdrawal of nobody: somebody has to find out whose it is.
            when record_key is null then 'subscriber_id is missing'
            when occurred_at is null then 'event_at is no date'
        end as quarantine_reason

    from renamed

)

select * from judged
