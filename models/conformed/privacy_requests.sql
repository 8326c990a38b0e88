with

versions as (

    {{ union_contributors('privacy_requests') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='request_id',
        order_by=['loaded_at desc'],
        content=['request_type', 'identifier_value', 'is_verified']
    ) }}

),

final as (

    select
        request_id,
        request_type,
        identifier_type,
        identifier_value,
        requested_at,
        is_verified,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
