select
    record_key,
    source_name,
    source_name || '.visitors' as source_table,
    substr(record_key, length(source_name) + 2) as native_id,
    true as is_anonymous,
    cast(null as {{ dbt.type_string() }}) as first_name,
    cast(null as {{ dbt.type_string() }}) as last_name,
    cast(null as {{ dbt.type_string() }}) as full_name,
    cast(null as {{ dbt.type_string() }}) as email,
    cast(null as {{ dbt.type_string() }}) as email_raw,
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
    min(first_seen_at) as created_at,
    max(last_seen_at) as updated_at,
    min(loaded_at) as loaded_at

from {{ ref('int_conformed__visitors_seen') }}

group by
    record_key,
    source_name
