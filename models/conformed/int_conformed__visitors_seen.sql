with

hits as (

    select
        record_key,
        source_name,
        login_id,
        received_at,
        loaded_at

    from {{ ref('record_events') }}

    where source_name in ('web', 'app')

),

identify_calls as (

    select
        record_key,
        'web' as source_name,
        login_id,
        coalesce(received_at, loaded_at) as received_at,
        loaded_at

    from {{ ref('stg_web__identifies') }}

),

observations as (

    select * from hits
    union all
    select * from identify_calls

),

final as (

    select
        record_key,
        source_name,
        login_id,
        min(received_at) as first_seen_at,
        max(received_at) as last_seen_at,
        min(loaded_at) as loaded_at

    from observations

    where record_key is not null

    group by
        record_key,
        source_name,
        login_id

)

select * from final
