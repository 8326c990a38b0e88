-- Who has asked what is there about them.

with

privacy_requests as (

    select * from {{ ref('privacy_requests') }}

    where request_type = 'access' and is_verified

),

holders as (

    select * from {{ ref('int_profiles__identifier_holders_counted') }}

),

answers as (

    select
        request_id,
        max(answered_at) as answered_at

    from {{ source('state', 'access_answers') }}

    group by request_id

),

requests as (

    select
        privacy_requests.request_id,
        holders.customer_id,
        privacy_requests.requested_at,
        cast(
            {{ dbt.dateadd(
                'day', var('privacy_request_due_days'), 'privacy_requests.requested_at'
            ) }} as date
        ) as due_on,
        case when answers.request_id is null then 'open' else 'answered' end as status,
        answers.answered_at

    from privacy_requests

    -- Only who is meant for certain: an answer to anybody else is a leak.
    inner join holders
        on
            privacy_requests.identifier_type = holders.identifier_type
            and privacy_requests.identifier_value = holders.identifier_value
            and holders.customer_id is not null
            and holders.is_known

    left join answers
        on privacy_requests.request_id = answers.request_id

)

select * from requests
