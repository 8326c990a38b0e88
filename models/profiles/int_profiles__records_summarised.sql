with

records as (

    select * from {{ ref('customer_records') }}

),

identities as (

    select * from {{ ref('customer_identities') }}

),

customer_sources as (

    select
        identities.customer_id,
        records.source_name,
        count(*) as record_count,
        min(coalesce(records.created_at, records.updated_at, records.loaded_at)) as first_seen_at,
        max(
            case
                when records.updated_at > records.loaded_at then records.loaded_at
                else coalesce(records.updated_at, records.created_at, records.loaded_at)
            end
        ) as last_seen_at

    from identities

    inner join records
        on identities.record_key = records.record_key

    -- A cookie that a customer claimed is the customer's, and no record of a source.
    where
        not records.is_anonymous
        and not identities.is_anonymous

    group by identities.customer_id, records.source_name

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
