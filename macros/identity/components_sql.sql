{# The statements of resolve_components: group by, min, join and distinct on bigints, which
   every engine has. Only nodes with an edge are in the rounds; the others are labelled last,
   as components of their own. #}
{% macro components_nodes_sql(graph) %}
    select
        cast(
            row_number() over (order by {{ binary_order('node_key') }}) as {{ dbt.type_bigint() }}
        ) as node_id,
        node_key
    from (
        select node_key from {{ graph }} where node_key is not null
        union
        select neighbour_key from {{ graph }} where neighbour_key is not null
    ) as keys
{% endmacro %}

{% macro components_edges_sql(graph, nodes) %}
    select distinct
        case when one.node_id < other.node_id then one.node_id else other.node_id end as left_id,
        case when one.node_id < other.node_id then other.node_id else one.node_id end as right_id
    from {{ graph }} as graph
    inner join {{ nodes }} as one on graph.node_key = one.node_key
    inner join {{ nodes }} as other on graph.neighbour_key = other.node_key
    where one.node_id != other.node_id
{% endmacro %}

{% macro components_hook_sql(edges) %}
    select node_id, min(parent_id) as parent_id, 1 as has_moved
    from (
        select right_id as node_id, left_id as parent_id from {{ edges }}
        union all
        select left_id as node_id, left_id as parent_id from {{ edges }}
    ) as neighbours
    group by node_id
{% endmacro %}

{% macro components_jump_sql(parents) %}
    select
        child.node_id,
        parent.parent_id,
        case when parent.parent_id != child.parent_id then 1 else 0 end as has_moved
    from {{ parents }} as child
    inner join {{ parents }} as parent on child.parent_id = parent.node_id
{% endmacro %}

{% macro components_contracted_sql(edges, parents) %}
    select distinct
        case when one.parent_id < other.parent_id then one.parent_id else other.parent_id end
            as left_id,
        case when one.parent_id < other.parent_id then other.parent_id else one.parent_id end
            as right_id
    from {{ edges }} as edges
    inner join {{ parents }} as one on edges.left_id = one.node_id
    inner join {{ parents }} as other on edges.right_id = other.node_id
    where one.parent_id != other.parent_id
{% endmacro %}

{% macro components_composed_sql(parents, labels) %}
    select
        parents.node_id,
        coalesce(labels.parent_id, parents.parent_id) as parent_id
    from {{ parents }} as parents
    left join {{ labels }} as labels on parents.parent_id = labels.node_id
{% endmacro %}

{% macro components_labelled_sql(nodes, labels, node_column, cluster_column) %}
    select
        nodes.node_key as {{ node_column }},
        {% if labels is none -%}
        nodes.node_key as {{ cluster_column }}
    from {{ nodes }} as nodes
        {%- else -%}
        coalesce(roots.node_key, nodes.node_key) as {{ cluster_column }}
    from {{ nodes }} as nodes
    left join {{ labels }} as labels on nodes.node_id = labels.node_id
    left join {{ nodes }} as roots on labels.parent_id = roots.node_id
        {%- endif %}
{% endmacro %}

{% macro components_count(table) %}
    {% do return(run_query('select count(*) from ' ~ table).rows[0][0] | int) %}
{% endmacro %}
