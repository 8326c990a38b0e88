with

source as (

    select * from {{ source('ads', 'campaigns') }}

),

renamed as (

    select
        ---------- ids
        lower({{ clean_text("platform") }}) as platform,
        {{ clean_text("campaign_id") }} as campaign_native_id,
        lower({{ clean_text("utm_campaign") }}) as campaign_key,

        ---------- attributes
        {{ clean_text("name") }} as campaign_name,

        ---------- timestamps
        {{ normalize_timestamp("started_at") }} as started_at,
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
