-- Customers between whom evidence was left out and whose persons contradict each other.

with

refusals_paired as (

    select * from {{ ref('int_identity__refusals_paired') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

names_aliased as (

    select * from {{ ref('int_identity__names_aliased') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

persons as (

    select distinct
        clusters_resolved.cluster_key,
        records_keyed.first_name_key,
        records_keyed.birth_date,
        records_keyed.gender

    from clusters_resolved

    inner join records_keyed
        on clusters_resolved.record_key = records_keyed.record_key

    where
        clusters_resolved.cluster_key in (
            select left_cluster_key from refusals_paired
            union
            select right_cluster_key from refusals_paired
        )

),

contradicted as (

    select distinct
        refusals_paired.left_cluster_key,
        refusals_paired.right_cluster_key,
        refusals_paired.priority,
        case
            when not {{ birth_dates_agree('one.birth_date', 'other.birth_date') }}
                then 'birth_dates_contradict'
            else 'sexes_contradict'
        end as reason

    from refusals_paired

    inner join persons as one
        on refusals_paired.left_cluster_key = one.cluster_key

    inner join persons as other
        on refusals_paired.right_cluster_key = other.cluster_key

    left join names_aliased
        on
            one.first_name_key = names_aliased.left_name
            and other.first_name_key = names_aliased.right_name

    left join identifier_rules
        on refusals_paired.priority = identifier_rules.priority

    where
        -- Decisions are made against that.
        refusals_paired.priority > 0
        and {{ persons_contradict('one', 'other') }}

)

select * from contradicted
