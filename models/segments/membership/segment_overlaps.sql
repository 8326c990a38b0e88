with

members as (

    select * from {{ ref('segment_members') }}

),

sizes as (

    select * from {{ ref('segment_sizes') }}
    where as_of = {{ as_of_date() }}

),

shared_members as (

    select
        members.segment_name,
        others.segment_name as other_segment_name,
        count(*) as overlap_count

    from members

    inner join members as others
        on
            members.customer_id = others.customer_id
            and members.segment_name != others.segment_name

    group by members.segment_name, others.segment_name

),

compared as (

    select
        sizes.segment_name,
        other_sizes.segment_name as other_segment_name,
        cast(coalesce(shared_members.overlap_count, 0) as {{ dbt.type_bigint() }})
            as overlap_count,
        cast(coalesce(shared_members.overlap_count, 0) as {{ type_double() }})
        / nullif(sizes.member_count, 0) as overlap_share

    from sizes

    inner join sizes as other_sizes
        on sizes.segment_name != other_sizes.segment_name

    left join shared_members
        on
            sizes.segment_name = shared_members.segment_name
            and other_sizes.segment_name = shared_members.other_segment_name

)

select * from compared
