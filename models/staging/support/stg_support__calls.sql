with

source as (

    select * from {{ source('support', 'calls') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("support", "requester_id") }} as record_key,
        {{ clean_text("call_id") }} as call_key,
        {{ clean_text("ticket_id") }} as ticket_key,

        ---------- attributes
        lower({{ clean_text("direction") }}) as direction,
        lower({{ clean_text("outcome") }}) as outcome,
        cast({{ normalize_money("duration_seconds", 0) }} as {{ dbt.type_bigint() }})
            as duration_seconds,
        {{ scrub_text("agent_note") }} as agent_note,

        ---------- timestamps
        {{ normalize_timestamp("started_at") }} as started_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "call_id",
            "requester_id",
            "ticket_id",
            "direction",
            "caller_phone",
            "agent_note",
            "started_at",
            "duration_seconds",
            "outcome"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when call_key is null then 'call_id is missing'
            when started_at is null then 'started_at is no date'
        end as quarantine_reason

    from renamed

)

select * from judged
