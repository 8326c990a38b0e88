-- Known records and the person each belongs to: as drafted, unless the draft was suspected.

with

clusters_drafted as (

    select * from {{ ref('int_identity__clusters_drafted') }}

),

clusters_separated as (

    select * from {{ ref('int_identity__clusters_separated') }}

),

resolved as (

    select
        clusters_drafted.record_key,
        coalesce(clusters_separated.cluster_key, clusters_drafted.cluster_key) as cluster_key

    from clusters_drafted

    left join clusters_separated
        on clusters_drafted.record_key = clusters_separated.record_key

)

select * from resolved
