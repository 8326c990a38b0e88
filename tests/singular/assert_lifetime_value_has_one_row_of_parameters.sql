-- Two rows would score every customer twice, none would score nobody.

with

parameters as (

    select * from {{ ref('int_marts__clv_parameters_current') }}

),

counted as (

    select count(*) as row_count

    from parameters

),

wrong as (

    select * from counted

    where row_count != 1

)

select * from wrong
