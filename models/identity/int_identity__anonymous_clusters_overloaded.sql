-- Anonymous clusters that are no one's browsers: a kiosk that makes a cookie for each visit, an
-- emulator with a device id for each start.

with

anonymous_clusters_resolved as (

    select * from {{ ref('int_identity__anonymous_clusters_resolved') }}

),

oversize as (

    select
        cluster_key,
        'too_many_records' as reason

    from anonymous_clusters_resolved

    group by cluster_key

    having count(*) > {{ var('identity_max_records_per_customer') }}

),

-- Only clusters of several records can hold several values of a type, but the cookie before.
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

overloaded as (

    select
        cluster_key,
        'too_many_values' as reason

    from ({{ groups_with_too_many_values('members_in_company', 'cluster_key') }}) as held

),

all_overloaded as (

    select * from oversize
    union all
    select * from overloaded

)

select * from all_overloaded
