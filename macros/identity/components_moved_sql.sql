{# Rows to write, when the vertices of the small graph have their roots: those whose label changes
   and new ones. Of a component that was one vertex, all rows. #}
{% macro components_moved_sql(rows, members, rooted, named) %}
    with named_anew as (
        select
            rooted.locator,
            rooted.node_key,
            rooted.node_id,
            rooted.former_id,
            rooted.is_component,
            named.cluster_key,
            named.label_id as root_id
        from {{ rooted }} as rooted
        inner join {{ named }} as named on rooted.root_id = named.root_id
        where rooted.former_id is null or rooted.former_id != named.label_id
    )
    select locator, node_key, cluster_key, node_id, root_id, former_id
    from named_anew
    where is_component = 0
    union all
    select
        stored.locator,
        stored.node_key,
        named_anew.cluster_key,
        stored.node_id,
        named_anew.root_id,
        named_anew.former_id
    from {{ rows }} as stored
    inner join named_anew
        on stored.root_id = named_anew.node_id and named_anew.is_component = 1
    where not {{ rows_match('stored', members, ['node_id']) }}
{% endmacro %}

{# Rows to take out. #}
{% macro components_doomed_sql(known, moved, vanished) %}
    select locator, former_id as root_id
    from {{ moved }}
    where former_id is not null
    union all
    select known.locator, known.root_id
    from {{ known }} as known
    inner join {{ vanished }} as vanished on known.node_id = vanished.node_id
{% endmacro %}
