-- Drafted clusters that cannot be one person: they are built again, edge by edge.

with

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

clusters_contradicted as (

    select * from {{ ref('int_identity__clusters_contradicted') }}

),

decisions as (

    select * from {{ ref('int_identity__decisions_listed') }}

    where
        is_in_force
        and decision = 'different'

),

members as (

    select
        clusters_drafted.cluster_key,
        records_keyed.record_key

    from clusters_drafted

    inner join records_keyed
        on clusters_drafted.record_key = records_keyed.record_key

),

-- Only clusters of several records can be over a limit.
members_in_company as (

    select * from members

    where
        cluster_key in (
            select cluster_key from members
            group by cluster_key
            having count(*) > 1
        )

),

over_limits as (

    {{ groups_over_limits('members_in_company', 'cluster_key') }}

),

decided_apart as (

    select distinct
        one.cluster_key,
        'decided_apart' as reason

    from decisions

    inner join members as one
        on decisions.left_record_key = one.record_key

    inner join members as other
        on
            decisions.right_record_key = other.record_key
            and one.cluster_key = other.cluster_key

),

suspected as (

    select * from clusters_contradicted
    union all
    select * from over_limits
    union all
    select * from decided_apart

)

select * from suspected
