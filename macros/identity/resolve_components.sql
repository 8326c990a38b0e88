{# Connected components by hook, jump and contract. In each round every node hooks to its
   smallest neighbour, pointers jump until all name a root, and the edges between different
   roots are the graph of the next round. Two rounds at least halve the nodes (in practice
   they shrink 20 to 40 fold), so chains, hubs and trees all end after a logarithmic number
   of rounds, where label propagation needs as many as a chain is long.
   Ids are bigints in the order of the keys, so a root is the smallest key it stands for. #}
{% macro resolve_components(graph_sql, node_column, cluster_column, max_rounds) %}
    {% set state = namespace(edge_count=1, rounds=0, jumps=0, labels=none) %}
    {% set tables = [] %}
    {% set hooks = [] %}
    {% set prefix = 'cc_' ~ local_md5(invocation_id ~ model.unique_id)[:12] ~ '_' %}

    {% set graph = create_scratch_table(prefix ~ 'graph', graph_sql) %}
    {% set nodes = create_scratch_table(prefix ~ 'nodes', components_nodes_sql(graph)) %}
    {% set edges = create_scratch_table(prefix ~ 'edges_1', components_edges_sql(graph, nodes)) %}
    {% do drop_scratch_tables([graph]) %}
    {% do tables.extend([nodes, edges]) %}
    {% set edges_by_round = [edges] %}

    {% for round in range(1, max_rounds + 2) %}
        {% set state.edge_count = components_count(edges_by_round[-1]) %}
        {% if state.edge_count == 0 %}
            {% break %}
        {% endif %}
        {% if round > max_rounds %}
            {% do drop_scratch_tables(tables) %}
            {% do exceptions.raise_compiler_error(
                this.identifier ~ ' has not converged: ' ~ state.edge_count ~ ' edges left after '
                ~ max_rounds ~ ' rounds (var identity_max_rounds). The table was not changed.'
            ) %}
        {% endif %}
        {% set state.rounds = round %}
        {% set name = prefix ~ 'parents_' ~ round %}
        {% set jumped = components_parents(name, edges_by_round[-1], tables) %}
        {% set state.jumps = state.jumps + jumped.jumps %}
        {% do hooks.append(jumped.parents) %}
        {% do edges_by_round.append(create_scratch_table(
            prefix ~ 'edges_' ~ (round + 1),
            components_contracted_sql(edges_by_round[-1], jumped.parents)
        )) %}
        {% do tables.append(edges_by_round[-1]) %}
        {% do tables.remove(edges_by_round[-2]) %}
        {% do drop_scratch_tables([edges_by_round[-2]]) %}
    {% endfor %}

    {# From the last, smallest round back to the first: each label is the root's root. #}
    {% for parents in hooks | reverse %}
        {% if state.labels is none %}
            {% set state.labels = parents %}
        {% else %}
            {% set state.labels = create_scratch_table(
                prefix ~ 'labels_' ~ loop.revindex, components_composed_sql(parents, state.labels)
            ) %}
            {% do tables.append(state.labels) %}
        {% endif %}
    {% endfor %}

    {% do return({
        'sql': components_labelled_sql(nodes, state.labels, node_column, cluster_column),
        'rounds': state.rounds,
        'jumps': state.jumps,
        'scratch_tables': tables,
    }) %}
{% endmacro %}
