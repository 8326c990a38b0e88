select
    'survey:reviews:' || review_key as event_id,
    record_key,
    cast(null as {{ dbt.type_string() }}) as login_id,
    'survey' as source_name,
    'survey.reviews' as source_table,
    'survey' as channel,
    'review_written' as event_type,
    submitted_at as occurred_at,
    loaded_at as received_at,
    false as has_bad_time,
    cast(null as {{ dbt.type_string() }}) as campaign_key,
    product_id,
    cast(null as {{ dbt.type_string() }}) as page_url,
    cast(null as {{ dbt.type_string() }}) as properties,
    loaded_at

from {{ ref('stg_survey__reviews') }}

where quarantine_reason is null
