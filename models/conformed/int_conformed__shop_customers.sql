select
    record_key,
    'shop' as source_name,
    'shop.customers' as source_table,
    shop_customer_id as native_id,
    false as is_anonymous,
    first_name,
    last_name,
    cast(null as {{ dbt.type_string() }}) as full_name,
    email,
    email_raw,
    cast(null as {{ dbt.type_boolean() }}) as is_email_verified,
    phone,
    phone_raw,
    cast(null as date) as birth_date,
    cast(null as {{ dbt.type_string() }}) as gender,
    street,
    postcode,
    city,
    country,
    language,
    cast(null as {{ dbt.type_string() }}) as company_name,
    cast(null as {{ dbt.type_string() }}) as company_domain,
    cast(null as {{ dbt.type_string() }}) as loyalty_tier,
    created_at,
    updated_at,
    loaded_at

from {{ ref('stg_shop__customers') }}

where record_key is not null
