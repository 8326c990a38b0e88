with

visitors as (

    select * from {{ ref('int_conformed__visitors_seen') }}

),

identify_calls as (

    select
        *,
        coalesce(received_at, loaded_at) as observed_at

    from {{ ref('stg_web__identifies') }}

),

own_ids as (

    select
        record_key,
        case source_name when 'web' then 'cookie_id' else 'device_id' end as identifier_type,
        substr(record_key, length(source_name) + 2) as identifier_value,
        first_seen_at as observed_at,
        source_name,
        loaded_at

    from visitors

),

log_ins as (

    select
        record_key,
        'shop_customer_id' as identifier_type,
        login_id as identifier_value,
        first_seen_at as observed_at,
        source_name,
        loaded_at

    from visitors

    where login_id is not null

),

replaced_cookies as (

    select
        record_key,
        'cookie_id' as identifier_type,
        previous_cookie_id as identifier_value,
        observed_at,
        'web' as source_name,
        loaded_at

    from identify_calls

    where previous_cookie_id is not null

),

typed_emails as (

    select
        record_key,
        'email' as identifier_type,
        email as identifier_value,
        observed_at,
        'web' as source_name,
        loaded_at

    from identify_calls

    where email is not null

),

unioned as (

    select * from own_ids
    union all
    select * from log_ins
    union all
    select * from replaced_cookies
    union all
    select * from typed_emails

)

select
    record_key,
    identifier_type,
    identifier_value,
    identifier_value as raw_value,
    observed_at,
    source_name,
    loaded_at

from unioned
