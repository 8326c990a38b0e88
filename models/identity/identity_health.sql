with

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

customer_identifier_rejections as (

    select * from {{ ref('customer_identifier_rejections') }}

),

clusters_suspected as (

    select distinct cluster_key from {{ ref('int_identity__clusters_suspected') }}

),

customers as (

    select
        customer_id,
        is_anonymous,
        count(*) as record_count

    from customer_identities

    group by
        customer_id,
        is_anonymous

),

sizes as (

    select
        sum(record_count) as record_count,
        sum(case when is_anonymous then 0 else record_count end) as known_record_count,
        sum(case when is_anonymous then 0 else 1 end) as customer_count,
        sum(case when is_anonymous then 1 else 0 end) as anonymous_customer_count,
        max(record_count) as largest_record_count

    from customers

),

health as (

    select
        cast('{{ var("as_of") }}' as date) as as_of,
        cast(coalesce(sizes.record_count, 0) as {{ dbt.type_bigint() }}) as record_count,
        cast(coalesce(sizes.customer_count, 0) as {{ dbt.type_bigint() }}) as customer_count,
        cast(coalesce(sizes.anonymous_customer_count, 0) as {{ dbt.type_bigint() }})
            as anonymous_customer_count,
        cast(coalesce(sizes.largest_record_count, 0) as {{ dbt.type_bigint() }})
            as largest_record_count,
        cast(
            (select count(*) from customer_identifier_rejections) as {{ dbt.type_bigint() }}
        ) as rejected_identifier_count,
        cast((select count(*) from clusters_suspected) as {{ dbt.type_bigint() }})
            as suspected_cluster_count,
        cast(
            1 - sizes.customer_count * 1.0 / nullif(sizes.known_record_count, 0)
            as decimal(18, 4)
        ) as deduplication_rate

    from sizes

)

select * from health
