-- Of the members and of every segment's own table, which people read directly too.
{{ config(meta={'dagster': {'ref': {'name': 'segment_members'}}}) }}

with

suppressions as (

    select * from {{ ref('customer_suppressions') }}

),

members as (

    {% for segment in var('segments') %}
        select
            '{{ segment }}' as segment_name,
            customer_id
        from {{ ref(segment) }}
        union all
    {% endfor %}
    select
        segment_name,
        customer_id
    from {{ ref('segment_members') }}

)

select
    members.segment_name,
    members.customer_id

from members

inner join suppressions
    on members.customer_id = suppressions.customer_id
