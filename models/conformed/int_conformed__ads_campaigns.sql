select
    platform || ':' || campaign_native_id as campaign_id,
    campaign_key,
    'ads' as channel,
    platform,
    campaign_name,
    started_at,
    'ads.campaigns' as source_table,
    loaded_at

from {{ ref('stg_ads__campaigns') }}

where
    campaign_native_id is not null
    and platform is not null
