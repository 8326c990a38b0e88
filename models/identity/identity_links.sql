-- Why records are one customer, link by link. The value as a hash, so that everybody may read.

with

links_judged as (

    select * from {{ ref('int_identity__links_judged') }}

    where refusal_rule is null

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

links as (

    select
        customer_identities.customer_id,
        links_judged.left_record_key,
        links_judged.right_record_key,
        links_judged.identifier_type as link_rule,
        {{ sha256_hex('links_judged.identifier_value') }} as value_hash,
        case when links_judged.identifier_type = 'decision' then 'decided' else 'exact' end as tier

    from links_judged

    inner join customer_identities
        on links_judged.left_record_key = customer_identities.record_key

)

select * from links
