select
    case
        when hit_key is not null then 'web:page_views:' || hit_key
        -- Some trackers send no id: the same content is the same hit.
        else 'web:page_views:content-' || {{ md5_hex('raw_row') }}
    end as event_id,
    record_key,
    login_id,
    'web' as source_name,
    'web.page_views' as source_table,
    'web' as channel,
    coalesce(event_type, 'page_view') as event_type,
    occurred_at,
    received_at,
    has_bad_time,
    campaign_key,
    product_id,
    page_url,
    properties,
    loaded_at

from {{ ref('stg_web__page_views') }}

where quarantine_reason is null
