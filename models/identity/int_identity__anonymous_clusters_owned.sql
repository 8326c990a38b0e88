-- Browsers that belong to the customer who claims them. One that is over a limit belongs to
-- nobody, and of many small ones those that came first, as long as the customer is not larger
-- than a customer may be.

with

anonymous_clusters_claimed as (

    select * from {{ ref('int_identity__anonymous_clusters_claimed') }}

),

anonymous_clusters_resolved as (

    select * from {{ ref('int_identity__anonymous_clusters_resolved') }}

),

anonymous_clusters_overloaded as (

    select * from {{ ref('int_identity__anonymous_clusters_overloaded') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

customer_records as (

    select * from {{ ref('customer_records') }}

),

known as (

    select
        cluster_key,
        count(*) as record_count

    from clusters_resolved

    group by cluster_key

),

browsers as (

    select
        anonymous_clusters_claimed.anonymous_cluster_key,
        anonymous_clusters_claimed.cluster_key,
        count(*) as record_count,
        min(customer_records.loaded_at) as first_loaded_at

    from anonymous_clusters_claimed

    inner join anonymous_clusters_resolved
        on
            anonymous_clusters_claimed.anonymous_cluster_key
            = anonymous_clusters_resolved.cluster_key

    inner join customer_records
        on anonymous_clusters_resolved.record_key = customer_records.record_key

    where
        anonymous_clusters_resolved.cluster_key not in (
            select cluster_key from anonymous_clusters_overloaded
        )

    group by
        anonymous_clusters_claimed.anonymous_cluster_key,
        anonymous_clusters_claimed.cluster_key

),

added_up as (

    select
        browsers.anonymous_cluster_key,
        browsers.cluster_key,
        known.record_count + sum(browsers.record_count) over (
            partition by browsers.cluster_key
            order by
                case when browsers.first_loaded_at is null then 1 else 0 end,
                browsers.first_loaded_at,
                {{ binary_order('browsers.anonymous_cluster_key') }}
            rows between unbounded preceding and current row
        ) as customer_record_count

    from browsers

    inner join known
        on browsers.cluster_key = known.cluster_key

)

select
    anonymous_cluster_key,
    cluster_key

from added_up

where customer_record_count <= {{ var('identity_max_records_per_customer') }}
