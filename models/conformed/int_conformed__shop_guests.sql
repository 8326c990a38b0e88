select
    {{ record_key('shop', "'guest-' || order_key") }} as record_key,
    'shop' as source_name,
    'shop.guests' as source_table,
    'guest-' || order_key as native_id,
    false as is_anonymous,
    cast(null as {{ dbt.type_string() }}) as first_name,
    cast(null as {{ dbt.type_string() }}) as last_name,
    cast(null as {{ dbt.type_string() }}) as full_name,
    email,
    email_raw,
    cast(null as {{ dbt.type_boolean() }}) as is_email_verified,
    cast(null as {{ dbt.type_string() }}) as phone,
    cast(null as {{ dbt.type_string() }}) as phone_raw,
    cast(null as date) as birth_date,
    cast(null as {{ dbt.type_string() }}) as gender,
    cast(null as {{ dbt.type_string() }}) as street,
    cast(null as {{ dbt.type_string() }}) as postcode,
    cast(null as {{ dbt.type_string() }}) as city,
    cast(null as {{ dbt.type_string() }}) as country,
    cast(null as {{ dbt.type_string() }}) as language,
    cast(null as {{ dbt.type_string() }}) as company_name,
    cast(null as {{ dbt.type_string() }}) as company_domain,
    cast(null as {{ dbt.type_string() }}) as loyalty_tier,
    ordered_at as created_at,
    updated_at,
    loaded_at

from {{ ref('stg_shop__orders') }}

where
    shop_customer_id is null
    and email is not null
    and order_key is not null
