with

versions as (

    {{ union_contributors('customer_records') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='record_key',
        order_by=['coalesce(updated_at, loaded_at) desc', 'loaded_at desc'],
        content=['email_raw', 'phone_raw', 'first_name', 'last_name', 'full_name', 'birth_date',
                 'street', 'postcode', 'city']
    ) }}

),

first_loads as (

    select
        record_key,
        min(loaded_at) as loaded_at

    from versions

    group by record_key

),

final as (

    select
        newest.record_key,
        newest.source_name,
        newest.source_table,
        newest.native_id,
        newest.is_anonymous,
        newest.first_name,
        newest.last_name,
        newest.full_name,
        newest.email,
        newest.email_raw,
        newest.is_email_verified,
        newest.phone,
        newest.phone_raw,
        newest.birth_date,
        newest.gender,
        newest.street,
        newest.postcode,
        newest.city,
        newest.country,
        newest.language,
        newest.company_name,
        newest.company_domain,
        newest.loyalty_tier,
        newest.created_at,
        newest.updated_at,
        -- The first load decides who keeps a customer_id, so a later version must not move it.
        first_loads.loaded_at,
        newest.version_count

    from newest

    inner join first_loads
        on newest.record_key = first_loads.record_key

)

select * from final
