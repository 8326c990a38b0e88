with

records as (

    select * from {{ ref('customer_records') }}

),

identities as (

    select * from {{ ref('customer_identities') }}

),

dated as (

    select
        record_key,
        source_name,
        is_anonymous,
        loaded_at,
        coalesce(created_at, updated_at, loaded_at) as made_at,
        coalesce(updated_at, created_at, loaded_at) as changed_at

    from records

),

customer_sources as (

    select
        identities.customer_id,
        dated.source_name,
        count(*) as record_count,
        -- A source that writes future dates has seen nobody after we read it.
        min(case when dated.made_at > dated.loaded_at then dated.loaded_at else dated.made_at end)
            as first_seen_at,
        max(
            case
                when dated.changed_at > dated.loaded_at then dated.loaded_at
                else dated.changed_at
            end
        ) as last_seen_at

    from identities

    inner join dated
        on identities.record_key = dated.record_key

    -- A cookie that a customer claimed is the customer's, and no record of a source.
    where
        not dated.is_anonymous
        and not identities.is_anonymous

    group by identities.customer_id, dated.source_name

),

known_customers as (

    select
        customer_id,
        cast(sum(record_count) as {{ dbt.type_bigint() }}) as record_count,
        cast(count(source_name) as {{ dbt.type_bigint() }}) as source_count,
        {{ dbt.listagg('source_name', "', '", 'order by source_name') }} as sources,
        min(first_seen_at) as first_seen_at,
        max(last_seen_at) as last_seen_at

    from customer_sources

    group by customer_id

)

select * from known_customers
