-- The engine sends to whom this view permits it, which lists the syncs of the same var: built with
-- the plan, it knows a sync that is new.
-- depends_on: {{ ref('sync_permitted') }}

with

plans as (

    {{ union_plans() }}

)

select * from plans
