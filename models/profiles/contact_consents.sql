{% set as_of = as_of_timestamp() %}
{% set lapse_at = dbt.dateadd('month', -var('consent_lapses_after_months'), as_of) %}

with

decisions as (

    select * from {{ ref('int_profiles__consent_decisions_unioned') }}

),

holders as (

    select * from {{ ref('int_profiles__identifier_holders_counted') }}

),

identifier_types as (

    select * from {{ ref('consent_identifier_types') }}

),

traits as (

    select * from {{ ref('customer_traits') }}

),

dated as (

    select
        *,
        max(case when is_grant then decided_at end) over (
            partition by identifier_type, identifier_value, purpose, channel
        ) as last_granted_at

    from decisions

),

ranked as (

    select
        *,
        row_number() over (
            partition by identifier_type, identifier_value, purpose, channel
            order by
                -- A refusal stands until a later grant; ties go to the protective side.
                case
                    when is_refusal and last_granted_at is null then 1
                    when is_refusal and decided_at >= last_granted_at then 1
                    -- A refusal without any time cannot be shown to be older.
                    when is_refusal and decided_at is null then 1
                    -- A grant with an impossible time never wins over anything.
                    when status = 'granted' and not is_grant then 3
                    else 2
                end,
                decided_at desc nulls first,
                is_grant,
                {{ binary_order('status') }},
                {{ binary_order('consent_event_id') }}
        ) as decision_rank

    from dated

),

states as (

    select
        ranked.*,
        coalesce(holders.holder_count, 0) as holder_count,
        case
            when ranked.is_refusal then 'refused'
            when ranked.status = 'granted' and not ranked.is_grant then 'bad_time'
            when not ranked.is_grant then 'unknown_status'
            when not coalesce(identifier_types.may_grant, false) then 'identifier_cannot_grant'
            when holders.is_rejected then 'identifier_rejected'
            when coalesce(holders.holder_count, 0) = 0 then 'identifier_unknown'
            when holders.holder_count > 1 then 'identifier_shared'
            when
                ranked.decided_at < {{ lapse_at }}
                and (traits.last_activity_at is null or traits.last_activity_at < {{ lapse_at }})
                then 'lapsed'
        end as not_granted_reason

    from ranked

    left join holders
        on
            ranked.identifier_type = holders.identifier_type
            and ranked.identifier_value = holders.identifier_value

    left join identifier_types
        on ranked.identifier_type = identifier_types.identifier_type

    left join traits
        on holders.customer_id = traits.customer_id

    where ranked.decision_rank = 1

),

contact_states as (

    select
        identifier_type,
        identifier_value,
        purpose,
        channel,
        not_granted_reason is null as is_granted,
        is_refusal as is_refused,
        status,
        not_granted_reason,
        decided_at,
        consent_event_id,
        lawful_basis,
        collected_by,
        cast(holder_count as {{ dbt.type_bigint() }}) as holder_count

    from states

)

select * from contact_states
