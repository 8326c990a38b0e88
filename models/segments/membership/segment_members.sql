{% set text = dbt.type_string() %}

with

eligible_customers as (

    select * from {{ ref('int_segments__customers_eligible') }}

),

listed as (

    {% for segment in var('segments') %}
    select
        cast('{{ segment }}' as {{ text }}) as segment_name,
        cast('{{ segment_definition_version(segment) }}' as {{ text }}) as definition_version,
        customer_id
    from {{ ref(segment) }}
    {{ 'union all' if not loop.last }}
    {% else %}
    select
        cast(null as {{ text }}) as segment_name,
        cast(null as {{ text }}) as definition_version,
        cast(null as {{ text }}) as customer_id
    where 1 = 0
    {% endfor %}

),

members as (

    -- Whatever a segment selects, only those who may be in one are members, and once.
    select distinct
        listed.segment_name,
        listed.customer_id,
        {{ as_of_date() }} as as_of,
        listed.definition_version

    from listed

    inner join eligible_customers
        on listed.customer_id = eligible_customers.customer_id

)

select * from members
