-- Whose is an identifier? What somebody's own records hold is theirs. What was typed on a browser
-- or a device is theirs only by chance: a friend's address, a colleague's log-in.

with

identifiers as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where rejection_reason is null

),

identities as (

    select * from {{ ref('customer_identities') }}

),

records as (

    select * from {{ ref('customer_records') }}

),

rules as (

    select * from {{ ref('identifier_rules') }}

),

named as (

    select
        identifiers.record_key,
        identifiers.identifier_type,
        identifiers.identifier_value,
        -- A browser's or device's own id is meant to be on it.
        not identifiers.is_anonymous_record or coalesce(rules.is_anonymous, false) as is_own

    from identifiers

    left join rules
        on identifiers.identifier_type = rules.identifier_type

    union all

    -- No other system knows these keys, so they are no identifiers that join records, while
    -- somebody may decide under one.
    select
        record_key,
        case source_table
            when 'email.subscribers' then 'email_subscriber_id'
            when 'support.requesters' then 'support_requester_id'
            when 'survey.respondents' then 'survey_respondent_id'
        end as identifier_type,
        native_id as identifier_value,
        true as is_own

    from records

    where source_table in ('email.subscribers', 'support.requesters', 'survey.respondents')

),

held as (

    select
        identities.customer_id,
        identities.is_anonymous,
        named.identifier_type,
        named.identifier_value,
        -- Of nobody but a browser everything is on a browser.
        max(case when named.is_own or identities.is_anonymous then 1 else 0 end) = 1 as is_own

    from named

    inner join identities
        on named.record_key = identities.record_key

    group by
        identities.customer_id,
        identities.is_anonymous,
        named.identifier_type,
        named.identifier_value

)

select * from held
