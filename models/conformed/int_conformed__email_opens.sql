select
    'email:opens:' || event_key as event_id,
    record_key,
    cast(null as {{ dbt.type_string() }}) as login_id,
    'email' as source_name,
    'email.opens' as source_table,
    'email' as channel,
    'email_opened' as event_type,
    occurred_at,
    loaded_at as received_at,
    false as has_bad_time,
    'email:' || campaign_native_id as campaign_key,
    cast(null as {{ dbt.type_string() }}) as product_id,
    cast(null as {{ dbt.type_string() }}) as page_url,
    cast(null as {{ dbt.type_string() }}) as properties,
    loaded_at

from {{ ref('stg_email__opens') }}

where quarantine_reason is null
