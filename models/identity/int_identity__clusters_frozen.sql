-- Clusters that grew too large for a person: what was one customer before stays one, and nothing
-- new joins until somebody has looked. A cluster of which no record was there before has nothing
-- to keep: the guards alone say what of it is one.

with

clusters_suspected as (

    select * from {{ ref('int_identity__clusters_suspected') }}

    where reason = 'too_many_records'

),

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

former_customers as (

    {{ former_customers() }}

),

members as (

    select
        clusters_drafted.record_key,
        clusters_drafted.cluster_key,
        former_customers.customer_id as former_customer_id,
        count(former_customers.customer_id) over (
            partition by clusters_drafted.cluster_key
        ) as remembered_count

    from clusters_drafted

    inner join clusters_suspected
        on clusters_drafted.cluster_key = clusters_suspected.cluster_key

    left join former_customers
        on substr({{ sha256_hex('clusters_drafted.record_key') }}, 1, 32)
            = former_customers.record_hash

),

frozen as (

    select
        record_key,
        cluster_key,
        former_customer_id

    from members

    where remembered_count > 0

)

select * from frozen
