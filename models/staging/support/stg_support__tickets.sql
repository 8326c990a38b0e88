with

source as (

    select * from {{ source('support', 'tickets') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("support", "requester_id") }} as record_key,
        {{ clean_text("ticket_id") }} as ticket_key,
        {{ clean_text("order_id") }} as order_key,

        ---------- attributes
        lower({{ clean_text("channel") }}) as ticket_channel,
        lower({{ clean_text("priority") }}) as priority,
        lower({{ clean_text("status") }}) as status,

        ---------- timestamps
        {{ normalize_timestamp("opened_at") }} as opened_at,
        {{ normalize_timestamp("closed_at") }} as closed_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "ticket_id",
            "requester_id",
            "order_id",
            "subject",
            "channel",
            "priority",
            "status",
            "opened_at",
            "closed_at",
            "updated_at"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when ticket_key is null then 'ticket_id is missing'
            when opened_at is null then 'opened_at is no date'
        end as quarantine_reason

    from renamed

)

select * from judged
