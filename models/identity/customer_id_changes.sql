-- What became of each id, run by run. Told from the log of assignments alone: a customer lives
-- as long as a record is assigned to it.

with

assignments as (

    select * from {{ ref('customer_id_assignments') }}

    where
        customer_id is not null
        and previous_customer_id is not null

),

id_moves_counted as (

    select * from {{ ref('int_identity__id_moves_counted') }}

),

-- Where the records of an id went to, or came from: the record the id is of decides, then
-- the many.
passages as (

    select
        run_number,
        customer_id,
        previous_customer_id,
        row_number() over (
            partition by run_number, previous_customer_id
            order by
                min(case when record_hash = previous_customer_id then 0 else 1 end),
                count(*) desc,
                {{ binary_order('customer_id') }}
        ) as destination_rank,
        row_number() over (
            partition by run_number, customer_id
            order by
                min(case when record_hash = customer_id then 0 else 1 end),
                count(*) desc,
                {{ binary_order('previous_customer_id') }}
        ) as origin_rank

    from assignments

    group by run_number, customer_id, previous_customer_id

),

began_or_ended as (

    select *

    from id_moves_counted

    where
        record_count = 0
        or record_count = gained_count - lost_count

),

related as (

    select
        began_or_ended.*,
        case when began_or_ended.record_count = 0 then destinations.customer_id
            else origins.previous_customer_id
        end as other_customer_id

    from began_or_ended

    left join passages as destinations
        on
            began_or_ended.run_number = destinations.run_number
            and began_or_ended.customer_id = destinations.previous_customer_id
            and destinations.destination_rank = 1

    left join passages as origins
        on
            began_or_ended.run_number = origins.run_number
            and began_or_ended.customer_id = origins.customer_id
            and origins.origin_rank = 1

),

events as (

    select
        related.run_number,
        related.as_of,
        related.loaded_through,
        related.customer_id,
        case
            when related.record_count = 0 and related.other_customer_id is not null then 'merged'
            when related.record_count = 0 then 'retired'
            when related.first_run_number < related.run_number then 'revived'
            when others.record_count > 0 then 'split'
            else 'created'
        end as change_type,
        related.other_customer_id,
        cast(
            case when related.record_count = 0 then related.lost_count else related.gained_count end
            as {{ dbt.type_bigint() }}
        ) as record_count,
        -- Nobody is merged because two were told apart, nor the other way round.
        case
            when related.other_customer_id is null then null
            when related.record_count = 0
                then coalesce(related.joining_decision_number, others.joining_decision_number)
            else coalesce(related.parting_decision_number, others.parting_decision_number)
        end as decision_number,
        coalesce(related.new_record_hash, others.new_record_hash) as new_record_hash,
        coalesce(related.gone_record_hash, others.gone_record_hash) as gone_record_hash

    from related

    left join id_moves_counted as others
        on
            related.run_number = others.run_number
            and related.other_customer_id = others.customer_id

),

explained as (

    select
        run_number,
        as_of,
        loaded_through,
        customer_id,
        change_type,
        other_customer_id,
        record_count,
        case
            when decision_number is not null then 'decision'
            when new_record_hash is not null then 'record_added'
            when gone_record_hash is not null then 'record_removed'
            else 'evidence_changed'
        end as cause,
        decision_number,
        case when decision_number is null
            then coalesce(new_record_hash, gone_record_hash)
        end as record_hash

    from events

)

select * from explained
