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

{# Where the ends of changed edges belong; one end of a removed edge is enough, for both were
   in one component. #}
{% macro components_known_sql(nodes, ends, removed) %}
    select stored.node_id, stored.root_id
    from {{ nodes }} as stored
    inner join (
        select node_id from {{ ends }}
        union
        select left_id as node_id from {{ removed }}
    ) as wanted on stored.node_id = wanted.node_id
{% endmacro %}

{# All nodes of the components that lost an edge. #}
{% macro components_members_sql(nodes, known, removed) %}
    select stored.node_id, stored.root_id as former_id
    from {{ nodes }} as stored
    inner join (
        select distinct known.root_id
        from {{ known }} as known
        inner join {{ removed }} as removed on known.node_id = removed.left_id
    ) as torn on stored.root_id = torn.root_id
{% endmacro %}

{% macro components_remaining_sql(edges, members, removed) %}
    select stored.left_id, stored.right_id
    from {{ edges }} as stored
    inner join {{ members }} as members on stored.left_id = members.node_id
    where not {{ rows_match('stored', removed, ['left_id', 'right_id']) }}
{% endmacro %}

{# The small graph to be searched. A component that lost an edge takes part node by node, any
   other as one vertex, its smallest node. former_id is null for a new node. #}
{% macro components_placed_sql(ends, known, members) %}
    select
        ends.node_id,
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

{% macro components_vertices_sql(placed, members, vanished) %}
    select distinct
        vertex_id as node_id,
        former_id,
        case when former_id is null then 0 else 1 end as is_component
    from {{ placed }}
    where is_member = 0
    union all
    select members.node_id, members.former_id, 0 as is_component
    from {{ members }} as members
    where not {{ rows_match('members', vanished, ['node_id']) }}
{% endmacro %}

{# Most nodes of a component that lost an edge are where they were: with its smallest node,
   whose key is their label, and with nobody else. Only the others' keys need to be read. #}
{% macro components_loose_sql(rooted) %}
    select rooted.*
    from {{ rooted }} as rooted
    inner join (
        select root_id
        from {{ rooted }}
        group by root_id
        having
            count(former_id) < count(*)
            or min(former_id) < max(former_id)
            or max(case when node_id = former_id then 1 else 0 end) = 0
    ) as changed on rooted.root_id = changed.root_id
{% endmacro %}

{# Every node that may move, components taken apart. #}
{% macro components_stirred_sql(nodes, loose) %}
    select node_id, former_id, root_id from {{ loose }} where is_component = 0
    union all
    select stored.node_id, loose.former_id, loose.root_id
    from {{ nodes }} as stored
    inner join {{ loose }} as loose
        on stored.root_id = loose.node_id and loose.is_component = 1
{% endmacro %}

{# The keys that matter, read from the table at once. #}
{% macro components_keys_sql(published, columns, stirred, ends, vanished, seed) %}
    select stored.node_id, stored.node_key
    from (
        select {{ key_id(columns[0], seed) }} as node_id, {{ columns[0] }} as node_key
        from {{ published }}
    ) as stored
    inner join (
        select node_id from {{ stirred }}
        union
        select node_id from {{ ends }}
        union
        select node_id from {{ vanished }}
    ) as wanted on stored.node_id = wanted.node_id
{% endmacro %}

{% macro components_told_sql(stirred, keys, ends) %}
    select stirred.*, coalesce(keys.node_key, ends.node_key) as node_key
    from {{ stirred }} as stirred
    left join {{ keys }} as keys on stirred.node_id = keys.node_id
    left join {{ ends }} as ends on stirred.node_id = ends.node_id
{% endmacro %}

{% macro components_moved_sql(told, named) %}
    select told.node_id, told.node_key, named.label_id as root_id, named.cluster_key
    from {{ told }} as told
    inner join {{ named }} as named on told.root_id = named.root_id
    where told.former_id is null or told.former_id != named.label_id
{% endmacro %}

{% macro components_doomed_sql(moved, keys, vanished) %}
    select node_id, node_key from {{ moved }}
    union all
    select keys.node_id, keys.node_key
    from {{ keys }} as keys
    inner join {{ vanished }} as vanished on keys.node_id = vanished.node_id
{% endmacro %}
