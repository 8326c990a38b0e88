select
    'survey:nps_responses:' || response_key as event_id,
    record_key,
    cast(null as {{ dbt.type_string() }}) as login_id,
    'survey' as source_name,
    'survey.nps_responses' as source_table,
    'survey' as channel,
    'nps_answered' as event_type,
    submitted_at as occurred_at,
    loaded_at as received_at,
    false as has_bad_time,
    cast(null as {{ dbt.type_string() }}) as campaign_key,
    cast(null as {{ dbt.type_string() }}) as product_id,
    cast(null as {{ dbt.type_string() }}) as page_url,
    cast(null as {{ dbt.type_string() }}) as properties,
    loaded_at

from {{ ref('stg_survey__nps_responses') }}

where quarantine_reason is null
