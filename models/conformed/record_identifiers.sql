with

observations as (

    {{ union_contributors('record_identifiers') }}

),

final as (

    select
        record_key,
        identifier_type,
        identifier_value,
        min(raw_value) as raw_value,
        min(observed_at) as observed_at,
        min(source_name) as source_name,
        min(loaded_at) as loaded_at

    from observations

    where
        record_key is not null
        and coalesce(identifier_value, raw_value) is not null

    group by
        record_key,
        identifier_type,
        identifier_value

)

select * from final
