-- Anonymous clusters that are no one's browsers: a kiosk that makes a cookie for each visit, an
-- emulator with a device id for each start.

with

anonymous_clusters_resolved as (

    select * from {{ ref('int_identity__anonymous_clusters_resolved') }}

),

-- Only clusters of several records can be over a limit.
members_in_company as (

    select
        cluster_key,
        record_key

    from anonymous_clusters_resolved

    where
        cluster_key in (
            select cluster_key from anonymous_clusters_resolved
            group by cluster_key
            having count(*) > 1
        )

),

over_limits as (

    {{ groups_over_limits('members_in_company', 'cluster_key') }}

)

select * from over_limits
