with

source as (

    select * from {{ source('enrichment', 'postcodes') }}

),

renamed as (

    select
        ---------- ids
        {{ normalize_country("country") }} as country,
        {{ normalize_postcode("postcode", "country") }} as postcode,

        ---------- attributes
        lower({{ clean_text("income_band") }}) as income_band,
        lower({{ clean_text("urbanity") }}) as urbanity,
        cast({{ normalize_money("median_age", 0) }} as {{ dbt.type_bigint() }}) as median_age,

        ---------- timestamps
        loaded_at

    from source

)

select * from renamed
