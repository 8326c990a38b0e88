-- Why records are one customer, link by link. The value as a hash, so that everybody may read.

with

links_judged as (

    select * from {{ ref('int_identity__links_judged') }}

    where refusal_rule is null

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

evidence as (

    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        case when identifier_type = 'decision' then 'decided' else 'exact' end as tier,
        cast(null as decimal(9, 4)) as probability
    from links_judged
    union all
    select
        left_record_key,
        right_record_key,
        'similarity' as identifier_type,
        cast(null as {{ dbt.type_string() }}) as identifier_value,
        'similar' as tier,
        probability
    from {{ ref('identity_similar_pairs') }}
    where outcome = 'joined'
    union all
    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        'attached' as tier,
        cast(null as decimal(9, 4)) as probability
    from {{ ref('int_identity__browsers_attached') }}
    union all
    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        'attached' as tier,
        cast(null as decimal(9, 4)) as probability
    from {{ ref('int_identity__browser_edges_matched') }}

),

links as (

    select
        customer_identities.customer_id,
        evidence.left_record_key,
        evidence.right_record_key,
        evidence.identifier_type as link_rule,
        {{ sha256_hex('evidence.identifier_value') }} as value_hash,
        evidence.tier,
        evidence.probability

    from evidence

    inner join customer_identities
        on evidence.left_record_key = customer_identities.record_key

)

select * from links
