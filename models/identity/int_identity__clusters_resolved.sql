-- Known records and the person each belongs to: proven by keys, and joined with those that are
-- alike enough.

with

clusters_proven as (

    select * from {{ ref('int_identity__clusters_proven') }}

),

clusters_joined as (

    select * from {{ ref('int_identity__clusters_joined') }}

),

groups as (

    select distinct
        group_id,
        cluster_key

    from {{ ref('int_identity__forms_described') }}

),

joined as (

    select
        groups.cluster_key,
        clusters_joined.label

    from clusters_joined

    inner join groups
        on clusters_joined.group_id = groups.group_id

),

named as (

    select
        label,
        {{ binary_min('cluster_key') }} as cluster_key

    from joined

    group by label

),

resolved as (

    select
        clusters_proven.record_key,
        coalesce(named.cluster_key, clusters_proven.cluster_key) as cluster_key

    from clusters_proven

    left join joined
        on clusters_proven.cluster_key = joined.cluster_key

    left join named
        on joined.label = named.label

)

select * from resolved
