-- What each run did to each id: records gained and lost, and what may have caused it.

with

assignments as (

    select * from {{ ref('customer_id_assignments') }}

),

decisions as (

    select * from {{ ref('int_identity__decisions_listed') }}

),

runs as (

    select
        run_number,
        max(as_of) as as_of,
        max(loaded_through) as loaded_through,
        max(last_decision_number) as last_decision_number,
        lag(max(last_decision_number)) over (order by run_number) as earlier_decision_number

    from assignments

    group by run_number

),

decided as (

    select
        runs.run_number,
        subjects.record_hash,
        max(case when subjects.effect = 'joins' then subjects.decision_number end)
            as joining_decision_number,
        max(case when subjects.effect = 'parts' then subjects.decision_number end)
            as parting_decision_number

    from runs

    inner join (
        select
            decision_number,
            effect,
            record_hash
        from decisions
        union all
        select
            decision_number,
            effect,
            other_record_hash as record_hash
        from decisions
        where other_record_hash is not null
    ) as subjects
        on
            runs.last_decision_number >= subjects.decision_number
            and coalesce(runs.earlier_decision_number, 0) < subjects.decision_number

    group by runs.run_number, subjects.record_hash

),

sides as (

    select
        run_number,
        record_hash,
        customer_id,
        1 as gained,
        0 as lost,
        case when previous_customer_id is null then record_hash end as new_record_hash,
        cast(null as {{ dbt.type_string() }}) as gone_record_hash

    from assignments

    where customer_id is not null

    union all

    select
        run_number,
        record_hash,
        previous_customer_id as customer_id,
        0 as gained,
        1 as lost,
        cast(null as {{ dbt.type_string() }}) as new_record_hash,
        case when customer_id is null then record_hash end as gone_record_hash

    from assignments

    where previous_customer_id is not null

),

counted as (

    select
        sides.run_number,
        sides.customer_id,
        sum(sides.gained) as gained_count,
        sum(sides.lost) as lost_count,
        min(sides.new_record_hash) as new_record_hash,
        min(sides.gone_record_hash) as gone_record_hash,
        max(decided.joining_decision_number) as joining_decision_number,
        max(decided.parting_decision_number) as parting_decision_number

    from sides

    left join decided
        on
            sides.run_number = decided.run_number
            and sides.record_hash = decided.record_hash

    group by sides.run_number, sides.customer_id

),

final as (

    select
        counted.run_number,
        runs.as_of,
        runs.loaded_through,
        counted.customer_id,
        counted.gained_count,
        counted.lost_count,
        sum(counted.gained_count - counted.lost_count) over (
            partition by counted.customer_id
            order by counted.run_number
            rows between unbounded preceding and current row
        ) as record_count,
        min(counted.run_number) over (partition by counted.customer_id) as first_run_number,
        counted.new_record_hash,
        counted.gone_record_hash,
        counted.joining_decision_number,
        counted.parting_decision_number

    from counted

    inner join runs
        on counted.run_number = runs.run_number

)

select * from final
