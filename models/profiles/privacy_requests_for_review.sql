-- A request that names nobody for certain changes nobody: an erasure by a shared or junk
-- address would erase strangers. A person decides.

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

examined as (

    select
        privacy_requests.request_id,
        privacy_requests.request_type,
        privacy_requests.identifier_type,
        privacy_requests.requested_at,
        case
            when effects.request_type is null then 'request_type_unknown'
            when nullif(trim(privacy_requests.identifier_value), '') is null
                then 'identifier_empty'
            when holders.is_rejected then 'identifier_rejected'
            when holders.holder_count > 1 then 'identifier_shared'
            -- It was typed on somebody's browser and may be anybody's.
            when holders.holder_count = 0 and holders.device_holder_count > 0
                then 'identifier_of_a_device'
            -- Who asks to be told is told something: also that nobody knows them.
            when privacy_requests.request_type = 'access' and holders.customer_id is null
                then 'identifier_unknown'
            -- Of a browser alone nobody can say whose the other visits are.
            when privacy_requests.request_type = 'access' and not holders.is_known
                then 'identifier_of_a_device'
        end as review_reason,
        cast(coalesce(holders.holder_count, 0) as {{ dbt.type_bigint() }}) as holder_count

    from privacy_requests

    left join effects
        on privacy_requests.request_type = effects.request_type

    left join holders
        on
            privacy_requests.identifier_type = holders.identifier_type
            and privacy_requests.identifier_value = holders.identifier_value

    where
        privacy_requests.is_verified
        -- A refused purpose is refused for every holder, so nothing is left open.
        and effects.refused_purpose is null

),

for_review as (

    select * from examined
    where review_reason is not null

)

select * from for_review
