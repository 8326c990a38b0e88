with

plans as (

    {{ union_plans() }}

)

select * from plans
