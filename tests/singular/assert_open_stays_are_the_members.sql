-- On the latest business date the open intervals are exactly the members, once each.
{{ config(meta={'dagster': {'ref': {'name': 'segment_member_history'}}}) }}

with

members as (

    select * from {{ ref('segment_members') }}

),

history as (

    select * from {{ ref('segment_member_history') }}
    where exited_on is null

),

sizes as (

    select * from {{ ref('segment_sizes') }}

)

select
    members.segment_name,
    history.segment_name as open_segment_name

from members

full outer join history
    on
        members.segment_name = history.segment_name
        and members.customer_id = history.customer_id

where
    (members.customer_id is null or history.customer_id is null)
    -- An older date, built again, leaves the history alone.
    and (select max(as_of) from sizes) = {{ as_of_date() }}
