select
    'survey:reviews:' || review_key as feedback_id,
    record_key,
    'review' as feedback_type,
    product_id,
    cast(null as {{ dbt.type_string() }}) as order_id,
    rating as score,
    cast(5 as {{ dbt.type_bigint() }}) as score_max,
    comment,
    submitted_at,
    'survey.reviews' as source_table,
    loaded_at

from {{ ref('stg_survey__reviews') }}

where quarantine_reason is null
