select
    'email:' || campaign_native_id as campaign_id,
    campaign_key,
    'email' as channel,
    'email' as platform,
    campaign_name,
    started_at,
    'email.campaigns' as source_table,
    loaded_at

from {{ ref('stg_email__campaigns') }}

where campaign_native_id is not null
