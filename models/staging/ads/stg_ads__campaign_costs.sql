with

source as (

    select * from {{ source('ads', 'campaign_costs') }}

),

renamed as (

    select
        ---------- ids
        lower({{ clean_text("platform") }}) as platform,
        {{ clean_text("campaign_id") }} as campaign_native_id,
        cast({{ normalize_timestamp("cost_date") }} as date) as cost_date,

        ---------- attributes
        cast({{ normalize_money("impressions", 0) }} as {{ dbt.type_bigint() }}) as impressions,
        cast({{ normalize_money("clicks", 0) }} as {{ dbt.type_bigint() }}) as clicks,

        ---------- money
        {{ normalize_money("spend", 4) }} as cost_amount,
        {{ normalize_currency("currency") }} as currency,

        ---------- timestamps
        loaded_at,

        ---------- raw
        {{ row_as_text([
            "cost_date",
            "campaign_id",
            "platform",
            "impressions",
            "clicks",
            "spend",
            "currency"
        ]) }} as raw_row

    from source

),

judged as (

    select
        *,
        case
            when campaign_native_id is null or platform is null
                then 'campaign_id or platform is missing'
            when cost_date is null then 'cost_date is no date'
            when cost_amount is null then 'spend is no finite amount in range'
            when currency is null then 'currency is unknown'
        end as quarantine_reason

    from renamed

)

select * from judged
