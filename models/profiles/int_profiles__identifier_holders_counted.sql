-- Who may be meant by an identifier that a decision or a request names. One held by
-- several customers, or refused as a key, speaks for nobody in particular, and so does one that
-- was only typed on somebody's browser.
with

consent_events as (

    select * from {{ ref('consent_events') }}

),

privacy_requests as (

    select * from {{ ref('privacy_requests') }}

),

identifiers as (

    select * from {{ ref('int_profiles__identifiers_held') }}

),

validated_identifiers as (

    select * from {{ ref('int_identity__identifiers_validated') }}

),

named as (

    select
        identifier_type,
        identifier_value

    from consent_events

    union distinct

    select
        identifier_type,
        identifier_value

    from privacy_requests

),

rejected as (

    select
        identifier_type,
        identifier_value,
        -- Somebody took a value off the record of a wrong person: no word about the value, where
        -- it is somebody's.
        max(case when rejection_reason != 'detached' then 1 else 0 end) = 1 as is_no_key

    from validated_identifiers

    where rejection_reason is not null

    group by identifier_type, identifier_value

),

held as (

    select
        named.identifier_type,
        named.identifier_value,
        sum(case when identifiers.is_own and not identifiers.is_anonymous then 1 else 0 end)
            as known_count,
        sum(case when identifiers.is_own and identifiers.is_anonymous then 1 else 0 end)
            as anonymous_count,
        sum(case when identifiers.is_own then 0 else 1 end) as device_count,
        {{ binary_min(
            "case when identifiers.is_own and not identifiers.is_anonymous"
            ~ " then identifiers.customer_id end"
        ) }} as known_customer_id,
        {{ binary_min(
            "case when identifiers.is_own and identifiers.is_anonymous"
            ~ " then identifiers.customer_id end"
        ) }} as anonymous_customer_id

    from named

    inner join identifiers
        on
            named.identifier_type = identifiers.identifier_type
            and named.identifier_value = identifiers.identifier_value

    group by named.identifier_type, named.identifier_value

),

holders as (

    select
        identifier_type,
        identifier_value,
        device_count,
        -- A shared browser that nobody could be given saw somebody's login: that makes the login
        -- nobody else's. Anonymous holders count only where no known customer is one.
        case when known_count > 0 then known_count else anonymous_count end as holder_count,
        known_count > 0 as is_known,
        coalesce(known_customer_id, anonymous_customer_id) as customer_id

    from held

),

counted as (

    select
        named.identifier_type,
        named.identifier_value,
        cast(coalesce(holders.holder_count, 0) as {{ dbt.type_bigint() }}) as holder_count,
        cast(coalesce(holders.device_count, 0) as {{ dbt.type_bigint() }}) as device_holder_count,
        rejected.identifier_value is not null
        and (rejected.is_no_key or holders.identifier_value is null) as is_rejected,
        case
            when holders.holder_count = 1 and not coalesce(rejected.is_no_key, false)
                then holders.customer_id
        end as customer_id,
        coalesce(holders.is_known, false) as is_known

    from named

    left join holders
        on
            named.identifier_type = holders.identifier_type
            and named.identifier_value = holders.identifier_value

    left join rejected
        on
            named.identifier_type = rejected.identifier_type
            and named.identifier_value = rejected.identifier_value

    where named.identifier_value is not null

)

select * from counted
