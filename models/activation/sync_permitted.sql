{{ config(materialized='view') }}

-- Whom each sync may send to, now. A view on the decisions, so that a consent withdrawn after
-- a sync was built stops what was planned before.

{% set syncs = planned_syncs() or [none] %}

with

{% for sync in syncs -%}
{% set settings = sync_settings(sync) if sync else none -%}
permitted_{{ loop.index }} as (

    {{ permitted_customers(settings) }}

),

{% endfor -%}
permitted as (

    {%- for sync in syncs %}
    select
        cast('{{ sync or "" }}' as {{ dbt.type_string() }}) as sync_name,
        customer_id
    from permitted_{{ loop.index }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from permitted
