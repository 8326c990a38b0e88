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

held as (

    select
        named.identifier_type,
        named.identifier_value,
        count(distinct identifiers.customer_id) as holder_count,
        min({{ binary_order('identifiers.customer_id') }}) as customer_id

    from named

    inner join identifiers
        on
            named.identifier_type = identifiers.identifier_type
            and named.identifier_value = identifiers.identifier_value

    group by named.identifier_type, named.identifier_value

),

counted as (

    select
        named.identifier_type,
        named.identifier_value,
        cast(coalesce(held.holder_count, 0) as {{ dbt.type_bigint() }}) as holder_count,
        rejected.identifier_value is not null as is_rejected,
        case
            when held.holder_count = 1 and rejected.identifier_value is null
                then held.customer_id
        end as customer_id

    from named

    left join held
        on
            named.identifier_type = held.identifier_type
            and named.identifier_value = held.identifier_value

    left join rejected
        on
            named.identifier_type = rejected.identifier_type
            and named.identifier_value = rejected.identifier_value

    where named.identifier_value is not null

)

select * from counted
