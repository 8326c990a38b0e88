{{ config(meta={'dagster': {'ref': {'name': 'sync_plan'}}}) }}

-- No plan writes anybody without a recorded yes, or who is suppressed, or sends to ads who
-- opted out of the sale of data. Independent of the macros that filter.
{% set syncs = planned_syncs() %}

with

plans as (

    select
        sync_name,
        row_key,
        customer_id

    from {{ ref('sync_plan') }}

    where action != 'remove'

),

purposes as (

    {% for sync in syncs -%}
    {% set settings = sync_settings(sync) -%}
    {% set stated = settings.purpose if settings else 'none' -%}
    {% for purpose in ([stated] if stated is string else stated) -%}
    select
        '{{ sync }}' as sync_name,
        '{{ purpose }}' as purpose,
        '{{ settings.channel if settings else "none" }}' as channel
    union all
    {% endfor -%}
    {% endfor -%}
    select
        cast(null as {{ dbt.type_string() }}) as sync_name,
        cast(null as {{ dbt.type_string() }}) as purpose,
        cast(null as {{ dbt.type_string() }}) as channel

)

select
    plans.sync_name,
    plans.row_key

from plans

left join purposes
    on plans.sync_name = purposes.sync_name

left join {{ ref('customer_consents') }} as consents
    on
        plans.customer_id = consents.customer_id
        and purposes.purpose = consents.purpose
        and purposes.channel = consents.channel
        and consents.is_granted

where
    consents.customer_id is null
    or plans.customer_id in (select customer_id from {{ ref('customer_suppressions') }})
    or (
        purposes.channel = 'ads'
        and plans.customer_id in (
            select customer_id
            from {{ ref('customer_consents') }}
            where purpose = 'sale_or_share' and channel = 'ads' and is_refused
        )
    )
