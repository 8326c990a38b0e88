{# The statements of the rounds: group by, min, join and distinct on bigints, which every
   engine has. A node that is in no table of parents is a root. #}
{% macro components_hook_sql(edges) %}
    select right_id as node_id, min(left_id) as parent_id, 1 as has_moved
    from {{ edges }}
    where left_id != right_id
    group by right_id
{% endmacro %}

{% macro components_jump_sql(parents) %}
    select
        child.node_id,
        coalesce(parent.parent_id, child.parent_id) as parent_id,
        case when parent.parent_id is null then 0 else 1 end as has_moved
    from {{ parents }} as child
    left join {{ parents }} as parent on child.parent_id = parent.node_id
{% endmacro %}

{# A node whose parent may not be a root yet stays a node, with an edge to that parent. #}
{% macro components_contracted_sql(edges, parents) %}
    select distinct
        case when left_id < right_id then left_id else right_id end as left_id,
        case when left_id < right_id then right_id else left_id end as right_id
    from (
        select
            coalesce(one.parent_id, edges.left_id) as left_id,
            coalesce(other.parent_id, edges.right_id) as right_id
        from (
            select left_id, right_id from {{ edges }}
            union all
            select parent_id as left_id, node_id as right_id from {{ parents }} where has_moved = 1
        ) as edges
        left join {{ parents }} as one on edges.left_id = one.node_id and one.has_moved = 0
        left join {{ parents }} as other on edges.right_id = other.node_id and other.has_moved = 0
    ) as moved
    where left_id != right_id
{% endmacro %}

{# From the last, smallest round back to the first: each label is the root's root. #}
{% macro components_composed_sql(hooks, edges) %}
    with labels_0 as (
        select left_id as node_id, right_id as parent_id from {{ edges }} where 1 = 0
    )
    {%- for parents in hooks | reverse %},
    labels_{{ loop.index }} as (
        select
            parents.node_id,
            coalesce(labels.parent_id, parents.parent_id) as parent_id
        from {{ parents }} as parents
        left join labels_{{ loop.index0 }} as labels on parents.parent_id = labels.node_id
        where parents.has_moved = 0
        union all
        select node_id, parent_id from labels_{{ loop.index0 }}
    )
    {%- endfor %}
    select node_id, parent_id from labels_{{ hooks | length }}
{% endmacro %}

{# Ids in place of keys; a row with one key only is a loop, which says that the node exists. #}
{% macro components_identified_sql(graph, seed) %}
    select
        case when node_id < neighbour_id then node_id else neighbour_id end as left_id,
        case when node_id < neighbour_id then neighbour_id else node_id end as right_id,
        node_key,
        neighbour_key
    from (
        select
            node_key,
            neighbour_key,
            {{ key_id('node_key', seed) }} as node_id,
            {{ key_id('neighbour_key', seed) }} as neighbour_id
        from {{ graph }} as graph
    ) as identified
{% endmacro %}

{% macro components_paired_sql(graph_sql) %}
    select
        coalesce(node_key, neighbour_key) as node_key,
        coalesce(neighbour_key, node_key) as neighbour_key
    from ({{ graph_sql }}) as graph
    where node_key is not null or neighbour_key is not null
{% endmacro %}

{# Every row of `members` (node_id, node_key, ...) with the root of its component. #}
{% macro components_rooted_sql(members, labels) %}
    select
        members.*,
        coalesce(labels.parent_id, members.node_id) as root_id
    from {{ members }} as members
    left join {{ labels }} as labels on members.node_id = labels.node_id
{% endmacro %}

{# The smallest key of each component, and its id. #}
{% macro components_named_sql(told, seed) %}
    select root_id, cluster_key, {{ key_id('cluster_key', seed) }} as label_id
    from (
        select root_id, {{ binary_min('node_key') }} as cluster_key
        from {{ told }}
        group by root_id
    ) as named
{% endmacro %}
