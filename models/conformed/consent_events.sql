with

versions as (

    {{ union_contributors('consent_events') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='consent_event_id',
        order_by=['loaded_at desc'],
        content=['status', 'captured_at', 'identifier_value', 'purpose', 'channel']
    ) }}

),

final as (

    select
        consent_event_id,
        identifier_type,
        identifier_value,
        purpose,
        channel,
        status,
        lawful_basis,
        captured_at,
        received_at,
        has_bad_time,
        collected_by,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
