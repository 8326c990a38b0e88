{{ config(
    materialized='connected_components',
    node_column='holder_key',
    cluster_column='group_key',
) }}
-- The graph of persons who can be one, per value. A vague person (no name, an initial, no
-- birth date) who fits two others that contradict each other belongs to neither.

with

persons_judged as (

    select * from {{ ref('int_identity__persons_judged') }}

),

pairs as (

    select
        identifier_type || ':' || identifier_value || ':' as value_key,
        left_person_key as one_key,
        right_person_key as other_key,
        is_same,
        is_weak

    from persons_judged

    union all

    select
        identifier_type || ':' || identifier_value || ':' as value_key,
        right_person_key as one_key,
        left_person_key as other_key,
        is_same,
        is_weak

    from persons_judged

),

torn as (

    select distinct
        weak.value_key,
        weak.one_key,
        weak.other_key

    from pairs as weak

    inner join pairs as rival
        on
            weak.value_key = rival.value_key
            and weak.one_key = rival.one_key
            and weak.other_key != rival.other_key

    inner join pairs as contradiction
        on
            weak.value_key = contradiction.value_key
            and weak.other_key = contradiction.one_key
            and rival.other_key = contradiction.other_key

    where
        weak.is_same
        and weak.is_weak
        and rival.is_same
        and not contradiction.is_same

),

graph as (

    select
        pairs.value_key || pairs.one_key as node_key,
        case
            when pairs.is_same and torn.value_key is null and torn_back.value_key is null
                then pairs.value_key || pairs.other_key
        end as neighbour_key

    from pairs

    left join torn
        on
            pairs.value_key = torn.value_key
            and pairs.one_key = torn.one_key
            and pairs.other_key = torn.other_key

    left join torn as torn_back
        on
            pairs.value_key = torn_back.value_key
            and pairs.one_key = torn_back.other_key
            and pairs.other_key = torn_back.one_key

)

select * from graph
