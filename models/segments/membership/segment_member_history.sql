-- Intervals of membership by business date: in from entered_on, out from exited_on.
--
-- Each run takes the history back to the evening before the business date and applies today's
-- members to it: running a day twice, or first on half of its data, ends as running it once.
-- Only intervals that change are written; one that is to disappear is written as empty
-- (exited_on = entered_on), which the strategy deletes.

{{
    config(
        materialized='incremental',
        incremental_strategy='replace_intervals',
        unique_key=['segment_name', 'customer_id', 'entered_on'],
        on_schema_change='fail',
        full_refresh=false
    )
}}

{% set as_of = as_of_date() %}
{% set never = "cast('9999-12-31' as date)" %}
{% set text = dbt.type_string() %}

with

members as (

    select * from {{ ref('segment_members') }}

),

-- The latest business date that was ever built. A day that has passed is not rewritten:
-- an older date changes nothing here.
latest as (

    select max(as_of) as as_of from {{ ref('segment_sizes') }}

),

-- Stays under the ids of before a merge are the person's, too.
erased as (

    select distinct customer_id
    from ({{ for_former_ids(ref('customer_suppressions')) }}) as suppressed
    where reason = 'erasure'

),

stored as (

    {{ stored_rows({
        'segment_name': text,
        'customer_id': text,
        'entered_on': 'date',
        'exited_on': 'date',
        'definition_version': text,
    }) }}

),

alive as (

    select * from stored
    where coalesce(exited_on, {{ never }}) >= {{ as_of }}

),

begun_before as (

    select * from alive
    where entered_on < {{ as_of }}

),

intervals as (

    select
        coalesce(begun_before.segment_name, members.segment_name) as segment_name,
        coalesce(begun_before.customer_id, members.customer_id) as customer_id,
        coalesce(begun_before.entered_on, {{ as_of }}) as entered_on,
        case when members.customer_id is null then {{ as_of }} end as exited_on,
        coalesce(begun_before.definition_version, members.definition_version) as definition_version

    from begun_before

    full outer join members
        on
            begun_before.segment_name = members.segment_name
            and begun_before.customer_id = members.customer_id

),

changes as (

    select
        coalesce(intervals.segment_name, alive.segment_name) as segment_name,
        coalesce(intervals.customer_id, alive.customer_id) as customer_id,
        coalesce(intervals.entered_on, alive.entered_on) as entered_on,
        case
            when intervals.customer_id is null then alive.entered_on
            else intervals.exited_on
        end as exited_on,
        coalesce(intervals.definition_version, alive.definition_version) as definition_version

    from intervals

    full outer join alive
        on
            intervals.segment_name = alive.segment_name
            and intervals.customer_id = alive.customer_id
            and intervals.entered_on = alive.entered_on

    where
        alive.customer_id is null
        or intervals.customer_id is null
        or coalesce(intervals.exited_on, {{ never }}) != coalesce(alive.exited_on, {{ never }})
        or intervals.definition_version != alive.definition_version

),

current_changes as (

    select changes.*

    from changes

    inner join latest
        on latest.as_of <= {{ as_of }}

    left join erased
        on changes.customer_id = erased.customer_id

    where erased.customer_id is null

    union all

    -- An erased person leaves no trace, whenever the interval was.
    select
        stored.segment_name,
        stored.customer_id,
        stored.entered_on,
        stored.entered_on as exited_on,
        stored.definition_version

    from stored

    inner join erased
        on stored.customer_id = erased.customer_id

)

select * from current_changes
