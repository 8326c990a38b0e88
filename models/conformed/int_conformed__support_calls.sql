select
    'support:calls:' || call_key as event_id,
    record_key,
    cast(null as {{ dbt.type_string() }}) as login_id,
    'support' as source_name,
    'support.calls' as source_table,
    'support' as channel,
    'call_' || coalesce(direction, 'unknown') as event_type,
    started_at as occurred_at,
    loaded_at as received_at,
    false as has_bad_time,
    cast(null as {{ dbt.type_string() }}) as campaign_key,
    cast(null as {{ dbt.type_string() }}) as product_id,
    cast(null as {{ dbt.type_string() }}) as page_url,
    cast(null as {{ dbt.type_string() }}) as properties,
    loaded_at

from {{ ref('stg_support__calls') }}

where quarantine_reason is null
