{{ config(materialized='view') }}

-- What destinations said of records as a whole. Shares are of the records for which they are
-- told: an answer that says nothing of matches is neither a good rate nor a bad one.

with

answers as (

    select
        *,
        case when action = 'upsert' then records_received else 0 end as records_uploaded,
        case when action = 'upsert' then records_invalid end as uploads_invalid,
        case when action = 'upsert' and records_invalid is not null then records_received end
            as records_judged,
        case when action = 'upsert' and match_rate_low is not null then records_received end
            as records_rated

    from {{ source('state', 'sync_matches') }}

),

rates as (

    select
        sync_name,
        run_id,
        cast(sum(records_uploaded) as {{ dbt.type_bigint() }}) as records_uploaded,
        cast(sum(uploads_invalid) as {{ dbt.type_bigint() }}) as records_invalid,
        cast(sum(uploads_invalid) * 1.0 / nullif(sum(records_judged), 0) as decimal(18, 4))
            as invalid_share,
        cast(
            sum(case when action = 'upsert' then identifiers_received end)
            as {{ dbt.type_bigint() }}
        ) as identifiers_uploaded,
        cast(sum(records_rated) as {{ dbt.type_bigint() }}) as records_rated,
        cast(
            sum(match_rate_low * records_rated) / nullif(sum(records_rated), 0)
            as decimal(18, 4)
        ) as match_rate_low,
        cast(
            sum(match_rate_high * records_rated) / nullif(sum(records_rated), 0)
            as decimal(18, 4)
        ) as match_rate_high,
        cast(
            sum(case when action = 'remove' then records_received else 0 end)
            as {{ dbt.type_bigint() }}
        ) as records_removed,
        max(recorded_at) as answered_at

    from answers

    group by sync_name, run_id

)

select * from rates
