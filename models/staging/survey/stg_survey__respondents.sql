with

source as (

    select * from {{ source('survey', 'respondents') }}

),

renamed as (

    select
        ---------- ids
        {{ record_key("survey", "respondent_id") }} as record_key,
        {{ clean_text("respondent_id") }} as respondent_id,

        ---------- identifiers
        {{ normalize_email("email") }} as email,
        email as email_raw,

        ---------- attributes
        {{ normalize_name("name") }} as full_name,

        ---------- timestamps
        {{ normalize_timestamp("created_at") }} as created_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
