-- Who may be meant by an identifier that a decision or a request names. One held by
-- several customers, or refused as a key, speaks for nobody in particular.
with

consent_events as (

    select * from {{ ref('consent_events') }}

),

privacy_requests as (

    select * from {{ ref('privacy_requests') }}

),

identifiers as (

    select * from {{ ref('customer_identifiers') }}

),

identities as (

    select * from {{ ref('customer_identities') }}

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

    select distinct
        identifier_type,
        identifier_value

    from validated_identifiers

    where rejection_reason is not null

),

customers as (

    select distinct
        customer_id,
        is_anonymous
    from identities

),

held as (

    select
        named.identifier_type,
        named.identifier_value,
        customers.is_anonymous,
        count(distinct identifiers.customer_id) as holder_count,
        min({{ binary_order('identifiers.customer_id') }}) as customer_id

    from named

    inner join identifiers
        on
            named.identifier_type = identifiers.identifier_type
            and named.identifier_value = identifiers.identifier_value

    inner join customers
        on identifiers.customer_id = customers.customer_id

    group by named.identifier_type, named.identifier_value, customers.is_anonymous

),

holders as (

    select * from held
    where not is_anonymous

    union all

    -- A shared browser that nobody could be given saw somebody's login: that makes the login
    -- nobody else's. Anonymous holders count only where no known customer is one.
    select anonymous_held.*

    from held as anonymous_held

    left join held as known_held
        on
            anonymous_held.identifier_type = known_held.identifier_type
            and anonymous_held.identifier_value = known_held.identifier_value
            and not known_held.is_anonymous

    where
        anonymous_held.is_anonymous
        and known_held.customer_id is null

),

counted as (

    select
        named.identifier_type,
        named.identifier_value,
        cast(coalesce(holders.holder_count, 0) as {{ dbt.type_bigint() }}) as holder_count,
        rejected.identifier_value is not null as is_rejected,
        case
            when holders.holder_count = 1 and rejected.identifier_value is null
                then holders.customer_id
        end as customer_id

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
