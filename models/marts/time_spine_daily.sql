with

days as (

    {{ dbt.date_spine(
        datepart='day',
        start_date="cast('1990-01-01' as date)",
        end_date=dbt.dateadd('day', 1, as_of_date())
    ) }}

),

dated as (

    select cast(date_day as date) as date_day

    from days

)

select * from dated
