-- Drafted clusters in which two persons contradict each other: pairs that agree can add up to a
-- whole that does not, by a record without a birth date or with an initial.

with

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

names_aliased as (

    select * from {{ ref('int_identity__names_aliased') }}

),

members as (

    select
        clusters_drafted.cluster_key,
        records_keyed.first_name_key,
        records_keyed.birth_date,
        records_keyed.gender

    from clusters_drafted

    inner join records_keyed
        on clusters_drafted.record_key = records_keyed.record_key

),

birth_dates as (

    select distinct
        cluster_key,
        birth_date

    from members

    where birth_date is not null

),

of_two_ages as (

    select distinct
        one.cluster_key,
        'birth_dates_contradict' as reason

    from birth_dates as one

    inner join birth_dates as other
        on
            one.cluster_key = other.cluster_key
            and one.birth_date < other.birth_date

    where not {{ birth_dates_agree('one.birth_date', 'other.birth_date') }}

),

sexes as (

    select distinct
        cluster_key,
        first_name_key,
        gender

    from members

    where gender is not null

),

of_two_sexes as (

    select distinct
        one.cluster_key,
        'sexes_contradict' as reason

    from sexes as one

    inner join sexes as other
        on one.cluster_key = other.cluster_key

    left join names_aliased
        on
            one.first_name_key = names_aliased.left_name
            and other.first_name_key = names_aliased.right_name

    where {{ sexes_contradict('one', 'other') }}

),

contradicted as (

    select * from of_two_ages
    union all
    select * from of_two_sexes

)

select * from contradicted
