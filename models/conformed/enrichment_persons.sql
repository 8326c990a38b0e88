with

versions as (

    select * from {{ ref('stg_enrichment__persons') }}

    where email_sha256 is not null

),

newest as (

    {{ deduplicate(
        'versions',
        key='email_sha256',
        order_by=['loaded_at desc'],
        content=['life_stage', 'interests', 'is_home_owner']
    ) }}

),

final as (

    select
        email_sha256,
        life_stage,
        interests,
        is_home_owner

    from newest

)

select * from final
