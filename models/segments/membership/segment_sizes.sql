{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='as_of',
        on_schema_change='fail',
        full_refresh=false
    )
}}

with

members as (

    select * from {{ ref('segment_members') }}

),

customers as (

    select * from {{ ref('customers') }}

),

segments as (

    {% for segment in var('segments') %}
    select cast('{{ segment }}' as {{ dbt.type_string() }}) as segment_name
    {{ 'union all' if not loop.last }}
    {% else %}
    select cast(null as {{ dbt.type_string() }}) as segment_name
    where 1 = 0
    {% endfor %}

),

member_counts as (

    select
        segment_name,
        count(*) as member_count

    from members

    group by segment_name

),

customer_counts as (

    select count(*) as customer_count
    from customers

),

sizes as (

    select
        segments.segment_name,
        {{ as_of_date() }} as as_of,
        cast(coalesce(member_counts.member_count, 0) as {{ dbt.type_bigint() }}) as member_count,
        cast(
            coalesce(member_counts.member_count, 0) as {{ type_double() }}
        ) / nullif(customer_counts.customer_count, 0) as customer_share

    from segments

    left join member_counts
        on segments.segment_name = member_counts.segment_name

    cross join customer_counts

)

select * from sizes
