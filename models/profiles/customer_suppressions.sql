with

privacy_requests as (

    select * from {{ ref('privacy_requests') }}

),

effects as (

    select * from {{ ref('privacy_request_effects') }}

),

holders as (

    select * from {{ ref('int_profiles__identifier_holders_counted') }}

),

suppressing_requests as (

    select
        holders.customer_id,
        effects.suppression_reason,
        privacy_requests.requested_at,
        privacy_requests.request_id,
        row_number() over (
            partition by holders.customer_id, effects.suppression_reason
            order by
                privacy_requests.requested_at nulls last,
                {{ binary_order('privacy_requests.request_id') }}
        ) as request_rank

    from privacy_requests

    inner join effects
        on privacy_requests.request_type = effects.request_type

    inner join holders
        on
            privacy_requests.identifier_type = holders.identifier_type
            and privacy_requests.identifier_value = holders.identifier_value

    where
        effects.suppression_reason is not null
        and (privacy_requests.is_verified or not effects.must_be_verified)
        -- Set only when the identifier names exactly one customer.
        and holders.customer_id is not null

),

suppressions as (

    select
        customer_id,
        suppression_reason as reason,
        requested_at,
        request_id

    from suppressing_requests

    where request_rank = 1

)

select * from suppressions
