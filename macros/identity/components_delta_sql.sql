{# Rows of the graph that the stored edges lack, and the other way round. #}
{% macro components_compared_sql(graph_sql, edges, seed) %}
    {% set graph = '(' ~ components_paired_sql(graph_sql) ~ ')' %}
    select distinct
        coalesce(graph.left_id, stored.left_id) as left_id,
        coalesce(graph.right_id, stored.right_id) as right_id,
        graph.node_key,
        graph.neighbour_key,
        {%- for column in components_edge_locator() %}
        stored.{{ column }} as locator_{{ loop.index }},
        {%- endfor %}
        case when graph.left_id is null then 1 else 0 end as is_removed
    from ({{ components_identified_sql(graph, seed) }}) as graph
    full outer join {{ edges }} as stored
        on graph.left_id = stored.left_id and graph.right_id = stored.right_id
    where graph.left_id is null or stored.left_id is null
{% endmacro %}

{# The same from a table of changes: an edge both removed and added is there. The stored edges are
   read by one id first: DuckDB looks for one column alone while it reads the table, for two not. #}
{% macro components_given_sql(changes, edges, seed) %}
    {% set text, located = dbt.type_string(), [] %}
    {% set added, removed = [
        'select node_key, neighbour_key from ' ~ changes ~ ' where not is_removed',
        'select node_key, neighbour_key from ' ~ changes ~ ' where is_removed',
    ] %}
    with added as (
        {{ components_identified_sql('(' ~ components_paired_sql(added) ~ ')', seed) }}
    ),
    removed as (
        {{ components_identified_sql('(' ~ components_paired_sql(removed) ~ ')', seed) }}
    ),
    near as (
        select
            stored.left_id,
            stored.right_id
            {%- for column in components_edge_locator() %},
            stored.{{ column }} as locator_{{ loop.index }}
            {%- do located.append('stored.locator_' ~ loop.index) %}
            {%- endfor %}
        from {{ edges }} as stored
        where
            stored.left_id in (
                select added.left_id from added
                union all
                select removed.left_id from removed
            )
    )
    select
        added.left_id,
        added.right_id,
        added.node_key,
        added.neighbour_key,
        {{ located | join(', ') }},
        0 as is_removed
    from added
    left join near as stored
        on added.left_id = stored.left_id and added.right_id = stored.right_id
    where stored.left_id is null
    union
    select
        stored.left_id,
        stored.right_id,
        cast(null as {{ text }}) as node_key,
        cast(null as {{ text }}) as neighbour_key,
        {{ located | join(', ') }},
        1 as is_removed
    from near as stored
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

{# Rows of the table, as far as they are needed to write them anew. #}
{% macro components_stored_sql(published, node_column) %}
    select
        {{ row_locator([node_column]) | first }} as locator,
        {{ node_column }} as node_key,
        node_id,
        root_id
    from {{ published }}
{% endmacro %}

{# What finds a stored edge again: by its ids it would be looked for in all of them once more. #}
{% macro components_edge_locator() %}
    {% do return(row_locator(['left_id', 'right_id'])) %}
{% endmacro %}

{# Rows of the ends of changed edges. #}
{% macro components_known_sql(rows, ends, removed) %}
    select stored.locator, stored.node_key, stored.node_id, stored.root_id
    from {{ rows }} as stored
    inner join (
        select node_id from {{ ends }}
        union
        select left_id as node_id from {{ removed }}
        union
        select right_id as node_id from {{ removed }}
    ) as wanted on stored.node_id = wanted.node_id
{% endmacro %}

{# Ends that share an id with another key: another end, or a node of the table. #}
{% macro components_homonyms_sql(ends, known) %}
    select ends.node_id
    from {{ ends }} as ends
    left join {{ known }} as known on ends.node_id = known.node_id
    group by ends.node_id
    having count(*) > 1 or max(case when known.node_key != ends.node_key then 1 else 0 end) = 1
{% endmacro %}
