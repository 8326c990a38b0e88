with

source as (

    select * from {{ source('web', 'page_views') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("web", "anonymous_id") }} as record_key,
        {{ clean_text("event_id") }} as hit_key,
        {{ null_if_placeholder("user_id") }} as login_id,

        ---------- attributes
        lower({{ clean_text("event_name") }}) as event_type,
        {{ clean_text("product_id") }} as product_id,
        {{ clean_url("url") }} as page_url,
        {{ clean_url("referrer") }} as referrer_url,
        lower({{ clean_text("utm_source") }}) as campaign_source,
        lower({{ clean_text("utm_medium") }}) as campaign_medium,
        lower({{ clean_text("utm_campaign") }}) as campaign_key,
        {{ event_properties("properties") }} as properties,

        ---------- timestamps
        {{ normalize_timestamp("event_at") }} as event_at,
        {{ normalize_timestamp("sent_at") }} as sent_at,
        {{ normalize_timestamp("received_at") }} as received_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "event_id",
            "anonymous_id",
            "user_id",
            "event_name",
            "event_at",
            "sent_at",
            "received_at",
            "url",
            "referrer",
            "product_id",
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "ip",
            "user_agent",
            "properties"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        {{ event_time("event_at", "sent_at", "received_at") }} as occurred_at,
        {{ has_bad_time("event_at", "sent_at", "received_at") }} as has_bad_time,
        case
            when received_at is null and event_at is null
                then 'neither event_at nor received_at is a time'
        end as quarantine_reason

    from renamed

)

select * from judged
