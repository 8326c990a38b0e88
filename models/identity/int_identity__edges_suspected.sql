-- Evidence that suspected clusters are built from again. In a frozen cluster only what ties
-- records of one former customer: the record that its star has in the middle may be new, so the
-- star is tied anew for each of them.

with

edges_matched as (

    select * from {{ ref('int_identity__edges_matched') }}

),

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

clusters_suspected as (

    select distinct cluster_key from {{ ref('int_identity__clusters_suspected') }}

),

clusters_frozen as (

    select * from {{ ref('int_identity__clusters_frozen') }}

),

edges as (

    select
        edges_matched.*,
        clusters_frozen.record_key is not null and edges_matched.identifier_type != 'decision'
            as is_frozen

    from edges_matched

    inner join clusters_drafted
        on edges_matched.left_record_key = clusters_drafted.record_key

    inner join clusters_suspected
        on clusters_drafted.cluster_key = clusters_suspected.cluster_key

    left join clusters_frozen
        on edges_matched.left_record_key = clusters_frozen.record_key

),

holders as (

    select
        left_record_key as star_key,
        left_record_key as record_key,
        identifier_type,
        identifier_value,
        priority
    from edges
    where is_frozen
    union
    select
        left_record_key as star_key,
        right_record_key as record_key,
        identifier_type,
        identifier_value,
        priority
    from edges
    where is_frozen

),

tied_anew as (

    select
        {{ binary_min(
            'holders.record_key',
            'over (partition by holders.star_key, holders.identifier_type, '
            ~ 'holders.identifier_value, clusters_frozen.former_customer_id)'
        ) }} as left_record_key,
        holders.record_key as right_record_key,
        holders.identifier_type,
        holders.identifier_value,
        holders.priority

    from holders

    inner join clusters_frozen
        on holders.record_key = clusters_frozen.record_key

    where clusters_frozen.former_customer_id is not null

),

suspected as (

    select
        left_record_key,
        right_record_key,
        identifier_type,
        identifier_value,
        priority

    from edges

    where not is_frozen

    union all

    select * from tied_anew

    where left_record_key != right_record_key

)

select * from suspected
