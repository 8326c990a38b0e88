-- Provenance is complete, and explains nothing that is not there. A full name may have been
-- put together from its parts.
{{ config(meta={'dagster': {'ref': {'name': 'customers'}}}) }}
{% set attributes = attribute_groups().values() | sum(start=[]) | list %}

with

customers as (

    select * from {{ ref('customers') }}

),

sources as (

    select * from {{ ref('customer_attribute_sources') }}

),

filled as (

    select
        {%- for attribute in attributes if attribute != 'full_name' %}
            sum(case when {{ attribute }} is not null then 1 else 0 end)
                        {{ '+' if not loop.last }}
        {%- endfor %} as value_count

    from customers

),

explained as (

    select count(*) as value_count
    from sources
    where attribute_name != 'full_name'

)

select
    filled.value_count,
    explained.value_count as explained_count

from filled

cross join explained

where filled.value_count != explained.value_count
