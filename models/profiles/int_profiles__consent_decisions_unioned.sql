-- Each decision for what it speaks: one for all channels for each of them, and a refusal of
-- everything for every purpose.

with

decisions as (

    select * from {{ ref('int_profiles__consent_decisions_graded') }}

),

channels as (

    select * from {{ ref('consent_channels') }}

),

purposes as (

    select purpose from {{ ref('consent_purposes') }}

    union distinct

    select purpose from decisions
    where purpose not in ('all', 'unknown')

),

spread_over_channels as (

    select *
    from decisions

    union all

    select
        decisions.consent_event_id,
        decisions.identifier_type,
        decisions.identifier_value,
        decisions.purpose,
        channels.channel,
        decisions.lawful_basis,
        decisions.collected_by,
        decisions.status,
        decisions.is_refusal,
        decisions.is_grant,
        decisions.decided_at

    from decisions

    cross join channels

    where decisions.channel = 'all'

),

spread as (

    select *
    from spread_over_channels

    union all

    -- Consent is given for a purpose, so a grant for all of them is one for none.
    select
        spread_over_channels.consent_event_id,
        spread_over_channels.identifier_type,
        spread_over_channels.identifier_value,
        purposes.purpose,
        spread_over_channels.channel,
        spread_over_channels.lawful_basis,
        spread_over_channels.collected_by,
        spread_over_channels.status,
        spread_over_channels.is_refusal,
        spread_over_channels.is_grant,
        spread_over_channels.decided_at

    from spread_over_channels

    cross join purposes

    where
        spread_over_channels.purpose = 'all'
        and spread_over_channels.is_refusal

)

select * from spread
