with

source as (

    select * from {{ source('survey', 'nps_responses') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("survey", "respondent_id") }} as record_key,
        {{ clean_text("response_id") }} as response_key,
        {{ clean_text("order_id") }} as order_key,

        ---------- attributes
        cast({{ normalize_money("score", 0) }} as {{ dbt.type_bigint() }}) as score,
        {{ scrub_text("comment") }} as comment,

        ---------- timestamps
        {{ normalize_timestamp("submitted_at") }} as submitted_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "response_id",
            "respondent_id",
            "order_id",
            "score",
            "comment",
            "submitted_at"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when response_key is null then 'response_id is missing'
            when score is null or score < 0 or score > 10 then 'score is not 0 to 10'
            when submitted_at is null then 'submitted_at is no date'
        end as quarantine_reason

    from renamed

)

select * from judged
