{# Rows of the graph that the stored edges lack, and the other way round. #}
{% macro components_compared_sql(graph_sql, edges, seed) %}
    {% set graph = '(' ~ components_paired_sql(graph_sql) ~ ')' %}
    select distinct
        coalesce(graph.left_id, stored.left_id) as left_id,
        coalesce(graph.right_id, stored.right_id) as right_id,
        graph.node_key,
        graph.neighbour_key,
        case when graph.left_id is null then 1 else 0 end as is_removed
    from ({{ components_identified_sql(graph, seed) }}) as graph
    full outer join {{ edges }} as stored
        on graph.left_id = stored.left_id and graph.right_id = stored.right_id
    where graph.left_id is null or stored.left_id is null
{% endmacro %}

{# The same from a table of changes: an edge both removed and added is there. #}
{% macro components_given_sql(changes, edges, seed) %}
    {% set text = dbt.type_string() %}
    {% set added, removed = [
        'select node_key, neighbour_key from ' ~ changes ~ ' where not is_removed',
        'select node_key, neighbour_key from ' ~ changes ~ ' where is_removed',
    ] %}
    with added as (
        {{ components_identified_sql('(' ~ components_paired_sql(added) ~ ')', seed) }}
    ),
    removed as (
        {{ components_identified_sql('(' ~ components_paired_sql(removed) ~ ')', seed) }}
    )
    select added.left_id, added.right_id, added.node_key, added.neighbour_key, 0 as is_removed
    from added
    left join {{ edges }} as stored
        on added.left_id = stored.left_id and added.right_id = stored.right_id
    where stored.left_id is null
    union
    select
        stored.left_id,
        stored.right_id,
        cast(null as {{ text }}) as node_key,
        cast(null as {{ text }}) as neighbour_key,
        1 as is_removed
    from {{ edges }} as stored
    inner join removed
        on stored.left_id = removed.left_id and stored.right_id = removed.right_id
    left join added
        on stored.left_id = added.left_id and stored.right_id = added.right_id
    where added.left_id is null
{% endmacro %}

{# Keys at the ends of added edges. #}
{% macro components_ends_sql(delta, seed) %}
    select {{ key_id('node_key', seed) }} as node_id, node_key
    from (
        select node_key from {{ delta }} where is_removed = 0
        union
        select neighbour_key as node_key from {{ delta }} where is_removed = 0
    ) as keys
{% endmacro %}

{% macro components_published_sql(published, columns, seed) %}
    select
        {{ key_id(columns[0], seed) }} as node_id,
        {{ columns[0] }} as node_key,
        {{ columns[1] }} as cluster_key
    from {{ published }}
{% endmacro %}

{# What the table says about the ends of changed edges; one end of a removed edge is enough,
   for both were in one component. #}
{% macro components_known_sql(published, columns, ends, removed, seed) %}
    select stored.*
    from ({{ components_published_sql(published, columns, seed) }}) as stored
    inner join (
        select node_id from {{ ends }}
        union
        select left_id as node_id from {{ removed }}
    ) as wanted on stored.node_id = wanted.node_id
{% endmacro %}

{# All nodes of the components that lost an edge. former_id: the id of the component's smallest
   node. #}
{% macro components_members_sql(published, columns, known, removed, seed) %}
    select stored.*, {{ key_id('stored.cluster_key', seed) }} as former_id
    from ({{ components_published_sql(published, columns, seed) }}) as stored
    inner join (
        select distinct known.cluster_key
        from {{ known }} as known
        inner join {{ removed }} as removed on known.node_id = removed.left_id
    ) as torn on stored.cluster_key = torn.cluster_key
{% endmacro %}

{% macro components_remaining_sql(edges, members, removed) %}
    select stored.left_id, stored.right_id
    from {{ edges }} as stored
    inner join {{ members }} as members on stored.left_id = members.node_id
    where not {{ rows_match('stored', removed, ['left_id', 'right_id']) }}
{% endmacro %}

{# The small graph to be searched. A component that lost an edge takes part node by node, any
   other as one vertex, with the id and the key of its smallest node. #}
{% macro components_placed_sql(ends, known, members, seed) %}
    select
        ends.node_id,
        case
            when known.node_id is null or members.node_id is not null then ends.node_id
            else {{ key_id('known.cluster_key', seed) }}
        end as vertex_id,
        case
            when known.node_id is null or members.node_id is not null then ends.node_key
            else known.cluster_key
        end as vertex_key,
        members.node_id is not null as is_member,
        known.cluster_key as former_key
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
{% macro components_vanished_sql(removed, remaining, placed) %}
    select node_id
    from (
        select left_id as node_id from {{ removed }}
        union
        select right_id as node_id from {{ removed }}
    ) as ends
    where
        not exists (select 1 from {{ remaining }} as one where one.left_id = ends.node_id)
        and not exists (select 1 from {{ remaining }} as other where other.right_id = ends.node_id)
        and not exists (select 1 from {{ placed }} as placed where placed.node_id = ends.node_id)
{% endmacro %}

{# former_id is null for a new node. #}
{% macro components_vertices_sql(placed, members, vanished, seed) %}
    select distinct
        vertex_id as node_id,
        case when former_key is not null then {{ key_id('former_key', seed) }} end as former_id
    from {{ placed }}
    where not is_member
    union all
    select members.node_id, members.former_id
    from {{ members }} as members
    where not {{ rows_match('members', vanished, ['node_id']) }}
{% endmacro %}

{# Most nodes of a component that lost an edge are where they were: with its smallest node,
   whose key is their label, and with nobody else. Only the others need their keys. #}
{% macro components_loose_sql(rooted, placed, members) %}
    select
        rooted.node_id,
        rooted.root_id,
        named.node_key,
        named.former_key,
        named.is_component
    from {{ rooted }} as rooted
    inner join (
        select root_id
        from {{ rooted }}
        group by root_id
        having
            count(former_id) < count(*)
            or min(former_id) < max(former_id)
            or max(case when node_id = former_id then 1 else 0 end) = 0
    ) as groups on rooted.root_id = groups.root_id
    inner join (
        select distinct
            vertex_id as node_id,
            vertex_key as node_key,
            former_key,
            case when former_key is null then 0 else 1 end as is_component
        from {{ placed }}
        where not is_member
        union all
        select node_id, node_key, cluster_key as former_key, 0 as is_component
        from {{ members }}
    ) as named on rooted.node_id = named.node_id
{% endmacro %}

{% macro components_moved_sql(loose, named) %}
    select loose.node_key, loose.is_component, named.cluster_key
    from {{ loose }} as loose
    inner join {{ named }} as named on loose.root_id = named.root_id
    where loose.former_key is null or loose.former_key != named.cluster_key
{% endmacro %}

{# Rows of the table as they are to be. #}
{% macro components_fresh_sql(published, columns, moved) %}
    select node_key as {{ columns[0] }}, cluster_key as {{ columns[1] }}
    from {{ moved }}
    where is_component = 0
    union all
    select published.{{ columns[0] }}, moved.cluster_key as {{ columns[1] }}
    from {{ published }} as published
    inner join {{ moved }} as moved
        on published.{{ columns[1] }} = moved.node_key and moved.is_component = 1
{% endmacro %}

{% macro components_doomed_sql(columns, fresh, members, vanished) %}
    select {{ columns[0] }} from {{ fresh }}
    union all
    select members.node_key as {{ columns[0] }}
    from {{ members }} as members
    inner join {{ vanished }} as vanished on members.node_id = vanished.node_id
{% endmacro %}
