-- Whoever is in a customer with others is so by a link that can be shown.
{{ config(meta={'dagster': {'ref': {'name': 'identity_links'}}}) }}

with

companions as (

    select
        record_key,
        count(*) over (partition by customer_id) as record_count

    from {{ ref('customer_identities') }}

),

linked as (

    select left_record_key as record_key
    from {{ ref('identity_links') }}
    union
    select right_record_key as record_key
    from {{ ref('identity_links') }}

)

select companions.record_key

from companions

left join linked
    on companions.record_key = linked.record_key

where
    companions.record_count > 1
    and linked.record_key is null
