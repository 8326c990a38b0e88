select
    record_key,
    'pos' as source_name,
    'pos.members' as source_table,
    loyalty_id as native_id,
    false as is_anonymous,
    first_name,
    last_name,
    cast(null as {{ dbt.type_string() }}) as full_name,
    email,
    email_raw,
    cast(null as {{ dbt.type_boolean() }}) as is_email_verified,
    phone,
    phone_raw,
    birth_date,
    gender,
    cast(null as {{ dbt.type_string() }}) as street,
    postcode,
    city,
    country,
    cast(null as {{ dbt.type_string() }}) as language,
    cast(null as {{ dbt.type_string() }}) as company_name,
    cast(null as {{ dbt.type_string() }}) as company_domain,
    loyalty_tier,
    created_at,
    updated_at,
    loaded_at

from {{ ref('stg_pos__members') }}

where record_key is not null
