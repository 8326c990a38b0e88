-- Evidence that was left out, because it would have joined what cannot be one person.

with

links_judged as (

    select * from {{ ref('int_identity__links_judged') }}

    where refusal_rule is not null

),

left_identities as (

    select * from {{ ref('customer_identities') }}

),

right_identities as (

    select * from {{ ref('customer_identities') }}

),

links as (

    select
        links_judged.left_record_key,
        links_judged.right_record_key,
        left_identities.customer_id as left_customer_id,
        right_identities.customer_id as right_customer_id,
        links_judged.identifier_type as link_rule,
        {{ sha256_hex('links_judged.identifier_value') }} as value_hash,
        links_judged.refusal_rule

    from links_judged

    inner join left_identities
        on links_judged.left_record_key = left_identities.record_key

    inner join right_identities
        on links_judged.right_record_key = right_identities.record_key

    union all

    select
        left_record_key,
        right_record_key,
        left_customer_id,
        right_customer_id,
        'similarity' as link_rule,
        cast(null as {{ dbt.type_string() }}) as value_hash,
        refusal_rule
    from {{ ref('int_identity__similar_pairs_refused') }}

)

select * from links
