with

source as (

    select * from {{ source('survey', 'reviews') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("survey", "respondent_id") }} as record_key,
        {{ clean_text("review_id") }} as review_key,
        {{ clean_text("product_id") }} as product_id,

        ---------- attributes
        cast({{ normalize_money("rating", 0) }} as {{ dbt.type_bigint() }}) as rating,
        {{ scrub_text("body") }} as comment,

        ---------- timestamps
        {{ normalize_timestamp("submitted_at") }} as submitted_at,
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "review_id",
            "respondent_id",
            "product_id",
            "rating",
            "title",
            "body",
            "submitted_at"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when review_key is null then 'review_id is missing'
            when rating is null or rating < 1 or rating > 5 then 'rating is not 1 to 5'
            when submitted_at is null then 'submitted_at is no date'
        end as quarantine_reason

    from renamed

)

select * from judged
