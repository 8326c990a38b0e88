-- Strictest wins: one standing refusal under any of a person's identifiers, on whatever
-- device, takes the purpose from the whole person. Nothing but a refusal comes from what was typed
-- on a device: a friend's address there makes the friend's yes nobody else's.

with

contact_consents as (

    select * from {{ ref('contact_consents') }}

),

identifiers as (

    select * from {{ ref('int_profiles__identifiers_held') }}

),

customers as (

    select * from {{ ref('customers') }}

),

held_consents as (

    select
        customers.customer_id,
        contact_consents.*

    from contact_consents

    inner join identifiers
        on
            contact_consents.identifier_type = identifiers.identifier_type
            and contact_consents.identifier_value = identifiers.identifier_value

    inner join customers
        on identifiers.customer_id = customers.customer_id

    where
        identifiers.is_own
        or contact_consents.is_refused

),

ranked as (

    select
        *,
        sum(case when is_granted then 1 else 0 end) over (
            partition by customer_id, purpose, channel
        ) as granting_identifier_count,
        sum(case when is_refused then 1 else 0 end) over (
            partition by customer_id, purpose, channel
        ) as refusing_identifier_count,
        row_number() over (
            partition by customer_id, purpose, channel
            order by
                case when is_refused then 1 when is_granted then 2 else 3 end,
                decided_at desc nulls first,
                {{ binary_order('consent_event_id') }},
                {{ binary_order('identifier_type') }},
                {{ binary_order('identifier_value') }}
        ) as decision_rank

    from held_consents

),

customer_states as (

    select
        customer_id,
        purpose,
        channel,
        is_granted,
        is_refused,
        status,
        not_granted_reason,
        decided_at,
        consent_event_id,
        identifier_type,
        lawful_basis,
        collected_by,
        cast(granting_identifier_count as {{ dbt.type_bigint() }}) as granting_identifier_count,
        cast(refusing_identifier_count as {{ dbt.type_bigint() }}) as refusing_identifier_count

    from ranked

    where decision_rank = 1

)

select * from customer_states
