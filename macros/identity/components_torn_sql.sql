{# What removed edges tear apart, and the small graph that is searched for it. #}

{# Every edge once by each of its ends; a loop, which only says that a node exists, is no link. #}
{% macro components_incident_sql(edges) %}
    select left_id as node_id, case when left_id = right_id then 0 else 1 end as is_link
    from {{ edges }}
    union all
    select right_id as node_id, 1 as is_link
    from {{ edges }}
    where left_id != right_id
{% endmacro %}

{# The ends of removed edges. A leaf whose one link went leaves the rest of its component in one
   piece and, unless it gave the label, with its label: most removals need no search. #}
{% macro components_severed_sql(edges, removed, known) %}
    with lost as (
        select node_id, sum(is_link) as link_count, count(*) as edge_count
        from ({{ components_incident_sql(removed) }}) as incident
        group by node_id
    ),
    stored as (
        select node_id, sum(is_link) as link_count, count(*) as edge_count
        from ({{ components_incident_sql(edges) }}) as incident
        where node_id in (select lost.node_id from lost)
        group by node_id
    )
    select
        known.node_id,
        known.root_id,
        case
            when known.node_id != known.root_id and lost.link_count = 1 and stored.link_count = 1
                then 1
            else 0
        end as is_leaf,
        case when lost.edge_count = stored.edge_count then 1 else 0 end as is_bare
    from lost
    inner join stored on lost.node_id = stored.node_id
    inner join {{ known }} as known on lost.node_id = known.node_id
{% endmacro %}

{# Nodes that are looked at one by one: leaves cut off, and all of a component that lost a link
   between two others. #}
{% macro components_members_sql(rows, known, severed, removed) %}
    select stored.locator, stored.node_key, stored.node_id, stored.root_id as former_id
    from {{ rows }} as stored
    inner join (
        select distinct one.root_id
        from {{ removed }} as removed
        inner join {{ severed }} as one on removed.left_id = one.node_id
        inner join {{ severed }} as other on removed.right_id = other.node_id
        where removed.left_id != removed.right_id and one.is_leaf = 0 and other.is_leaf = 0
    ) as torn on stored.root_id = torn.root_id
    union
    select known.locator, known.node_key, known.node_id, known.root_id as former_id
    from {{ known }} as known
    inner join {{ severed }} as severed on known.node_id = severed.node_id
    where severed.is_leaf = 1
{% endmacro %}

{% macro components_remaining_sql(edges, members, removed) %}
    select stored.left_id, stored.right_id
    from {{ edges }} as stored
    inner join {{ members }} as members on stored.left_id = members.node_id
    where not {{ rows_match('stored', removed, ['left_id', 'right_id']) }}
{% endmacro %}

{# Members stand for themselves, any other component is one vertex, its smallest node.
   former_id is null for a new node. #}
{% macro components_placed_sql(ends, known, members) %}
    select
        ends.node_id,
        ends.node_key,
        case
            when known.node_id is null or members.node_id is not null then ends.node_id
            else known.root_id
        end as vertex_id,
        known.root_id as former_id,
        case when members.node_id is null then 0 else 1 end as is_member
    from {{ ends }} as ends
    left join {{ known }} as known on ends.node_id = known.node_id
    left join {{ members }} as members on ends.node_id = members.node_id
{% endmacro %}

{% macro components_quotient_sql(added, placed, remaining) %}
    select
        case when left_id < right_id then left_id else right_id end as left_id,
        case when left_id < right_id then right_id else left_id end as right_id
    from (
        select left_id, right_id from {{ remaining }}
        union all
        select one.vertex_id as left_id, other.vertex_id as right_id
        from {{ added }} as added
        inner join {{ placed }} as one on added.left_id = one.node_id
        inner join {{ placed }} as other on added.right_id = other.node_id
    ) as edges
{% endmacro %}

{# Ends of removed edges that no edge names any more. #}
{% macro components_vanished_sql(severed, ends) %}
    select node_id
    from {{ severed }} as severed
    where is_bare = 1 and not {{ rows_match('severed', ends, ['node_id']) }}
{% endmacro %}

{% macro components_vertices_sql(rows, placed, members, vanished) %}
    select members.locator, members.node_key, members.node_id, members.former_id, 0 as is_component
    from {{ members }} as members
    where not {{ rows_match('members', vanished, ['node_id']) }}
    union all
    select stored.locator, stored.node_key, stored.node_id, stored.root_id, 1 as is_component
    from {{ rows }} as stored
    inner join (
        select distinct vertex_id from {{ placed }} where former_id is not null and is_member = 0
    ) as whole on stored.node_id = whole.vertex_id
    union all
    select null as locator, node_key, node_id, null as former_id, 0 as is_component
    from {{ placed }}
    where former_id is null
{% endmacro %}
