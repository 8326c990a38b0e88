{# All components from nothing. Nodes are numbered by a hash of their keys, which needs no sort
   and no join by text; if two keys share a number the whole is done with other numbers. #}
{% macro resolve_components(tables, graph_sql, columns, has_state) %}
    {% for seed in range(4) %}
        {% set graph = components_scratch(tables, 'graph', components_paired_sql(graph_sql)) %}
        {% set edges_sql %}
            select {{ 'distinct' if has_state }} left_id, right_id
            from ({{ components_identified_sql(graph, seed) }}) as edges
        {% endset %}
        {% set edges, nodes, labels, rooted, named = components_tables(
            ['edges', 'nodes', 'labels', 'rooted', 'named']
        ) %}
        {% set edge_count = components_make(
            tables, {edges: edges_sql}, components_linking_sql(edges)
        )[0] %}
        {% set nodes_sql %}
            select {{ key_id('node_key', seed) }} as node_id, node_key
            from (
                select node_key from {{ graph }}
                union
                select neighbour_key as node_key from {{ graph }}
            ) as keys
        {% endset %}
        {% do components_make(tables, {nodes: nodes_sql}) %}
        {% do components_drop(tables, [graph]) %}
        {% set found = components_labels(tables, edges, edge_count) %}
        {% do components_make(tables, {labels: found.labels_sql}) %}
        {% do components_drop(tables, found.parents) %}
        {% if not has_state %}
            {% do components_drop(tables, [edges]) %}
        {% endif %}
        {# Ids are those with a label and the roots. More keys than ids: two keys share one. #}
        {% set node_count, label_count, root_count = components_make(
            tables,
            {
                rooted: components_rooted_sql(nodes, labels),
                named: components_named_sql(rooted, seed),
            },
            components_counts_sql([nodes, labels, named])
        ) %}
        {% do components_drop(tables, [nodes, labels]) %}
        {% if node_count == label_count + root_count %}
            {% set sql %}
                select
                    rooted.node_key as {{ columns[0] }},
                    named.cluster_key as {{ columns[1] }}
                    {{- ', rooted.node_id, named.label_id as root_id' if has_state }}
                from {{ rooted }} as rooted
                inner join {{ named }} as named on rooted.root_id = named.root_id
            {% endset %}
            {% do return({
                'sql': sql,
                'edges_sql': 'select left_id, right_id from ' ~ edges,
                'seed': seed,
                'rounds': found.rounds,
                'jumps': found.jumps,
            }) %}
        {% endif %}
        {% do components_drop(tables, [rooted, named] + ([edges] if has_state else [])) %}
    {% endfor %}
    {% do exceptions.raise_compiler_error(
        this.identifier ~ ': keys share a hash with each of four seeds. The table was not changed.'
    ) %}
{% endmacro %}
