select
    platform || ':' || campaign_native_id || ':'
    || cast(cost_date as {{ dbt.type_string() }}) as campaign_cost_id,
    platform || ':' || campaign_native_id as campaign_id,
    cost_date,
    impressions,
    clicks,
    cost_amount,
    currency,
    'ads.campaign_costs' as source_table,
    loaded_at

from {{ ref('stg_ads__campaign_costs') }}

where quarantine_reason is null
