with

source as (

    select * from {{ source('enrichment', 'persons') }}

),

renamed as (

    select
        ---------- ids
        lower({{ clean_text("email_sha256") }}) as email_sha256,

        ---------- attributes
        lower({{ clean_text("life_stage") }}) as life_stage,
        lower({{ clean_text("interests") }}) as interests,
        {{ normalize_boolean("is_home_owner") }} as is_home_owner,

        ---------- timestamps
        loaded_at

    from source

)

select * from renamed
