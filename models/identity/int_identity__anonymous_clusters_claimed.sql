-- Which known customer an anonymous cluster belongs to: the only one that all its log-ins and
-- typed addresses lead to. A family's mailbox leads to several and the log-in to one of them:
-- that one. Two log-ins of two people: nobody's.

with

anonymous_clusters as (

    select * from {{ ref('int_identity__anonymous_clusters_resolved') }}

),

clusters_resolved as (

    select * from {{ ref('int_identity__clusters_resolved') }}

),

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where rejection_reason is null

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

    where
        may_merge
        and not is_anonymous

),

log_ins as (

    select distinct
        anonymous_clusters.cluster_key as anonymous_cluster_key,
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value

    from identifiers_validated

    inner join anonymous_clusters
        on identifiers_validated.record_key = anonymous_clusters.record_key

    inner join identifier_rules
        on identifiers_validated.identifier_type = identifier_rules.identifier_type

),

holders as (

    select distinct
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value,
        clusters_resolved.cluster_key

    from identifiers_validated

    inner join clusters_resolved
        on identifiers_validated.record_key = clusters_resolved.record_key

),

reached as (

    select
        log_ins.anonymous_cluster_key,
        log_ins.identifier_type,
        log_ins.identifier_value,
        holders.cluster_key

    from log_ins

    inner join holders
        on
            log_ins.identifier_type = holders.identifier_type
            and log_ins.identifier_value = holders.identifier_value

),

proofs as (

    select
        anonymous_cluster_key,
        count(distinct identifier_type || ':' || identifier_value) as proof_count

    from reached

    group by anonymous_cluster_key

),

votes as (

    select
        anonymous_cluster_key,
        cluster_key,
        count(*) as vote_count

    from reached

    group by
        anonymous_cluster_key,
        cluster_key

),

claimed as (

    select
        votes.anonymous_cluster_key,
        min(votes.cluster_key) as cluster_key

    from votes

    inner join proofs
        on votes.anonymous_cluster_key = proofs.anonymous_cluster_key

    where votes.vote_count = proofs.proof_count

    group by votes.anonymous_cluster_key

    having count(*) = 1

)

select * from claimed
