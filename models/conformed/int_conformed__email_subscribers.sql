select
    record_key,
    'email' as source_name,
    'email.subscribers' as source_table,
    subscriber_id as native_id,
    false as is_anonymous,
    first_name,
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
    language,
    cast(null as {{ dbt.type_string() }}) as company_name,
    cast(null as {{ dbt.type_string() }}) as company_domain,
    cast(null as {{ dbt.type_string() }}) as loyalty_tier,
    created_at,
    updated_at,
    loaded_at

from {{ ref('stg_email__subscribers') }}

where record_key is not null
