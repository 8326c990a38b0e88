select
    'app:events:' || event_key as event_id,
    record_key,
    login_id,
    'app' as source_name,
    'app.events' as source_table,
    'app' as channel,
    event_type,
    occurred_at,
    received_at,
    has_bad_time,
    cast(null as {{ dbt.type_string() }}) as campaign_key,
    product_id,
    cast(null as {{ dbt.type_string() }}) as page_url,
    properties,
    loaded_at

from {{ ref('stg_app__events') }}

where quarantine_reason is null
