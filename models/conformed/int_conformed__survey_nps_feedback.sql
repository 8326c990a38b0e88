select
    'survey:nps_responses:' || response_key as feedback_id,
    record_key,
    'nps' as feedback_type,
    cast(null as {{ dbt.type_string() }}) as product_id,
    'shop:' || order_key as order_id,
    score,
    cast(10 as {{ dbt.type_bigint() }}) as score_max,
    comment,
    submitted_at,
    'survey.nps_responses' as source_table,
    loaded_at

from {{ ref('stg_survey__nps_responses') }}

where quarantine_reason is null
