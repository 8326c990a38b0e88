with

record_events as (

    select * from {{ ref('record_events') }}

    where source_name in ('web', 'app')

),

identify_calls as (

    select
        *,
        coalesce(received_at, loaded_at) as logged_in_at

    from {{ ref('stg_web__identifies') }}

),

log_ins as (

    select
        record_key,
        'shop_customer_id' as identifier_type,
        login_id as identifier_value,
        occurred_at as logged_in_at
    from record_events
    where not has_bad_time
    union all
    select
        record_key,
        'shop_customer_id' as identifier_type,
        login_id as identifier_value,
        logged_in_at
    from identify_calls
    union all
    select
        record_key,
        'email' as identifier_type,
        email as identifier_value,
        logged_in_at
    from identify_calls

)

select
    record_key,
    identifier_type,
    identifier_value,
    logged_in_at

from log_ins

where
    record_key is not null
    and identifier_value is not null
    and logged_in_at is not null
