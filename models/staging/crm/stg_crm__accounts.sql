with

source as (

    select * from {{ source('crm', 'accounts') }}

),

renamed as (

    select
        ---------- ids
        {{ clean_text("account_id") }} as account_id,

        ---------- attributes
        {{ clean_text("name") }} as company_name,
        lower({{ clean_text("domain") }}) as company_domain,
        {{ clean_text("vat_number") }} as vat_number,
        {{ normalize_country("country") }} as country,

        ---------- timestamps
        {{ normalize_timestamp("updated_at") }} as updated_at,
        loaded_at

    from source

)

select * from renamed
