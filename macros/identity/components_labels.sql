{# Connected components by hook, jump and contract. In each round every node hooks to its
   smallest neighbour, pointers jump to the roots, and the edges between different roots are
   the graph of the next round. Two rounds at least halve the nodes (in practice they shrink
   20 to 40 fold), so chains, hubs and trees all end after a logarithmic number of rounds,
   where label propagation needs as many as a chain is long. #}
{% macro components_labels(tables, edges) %}
    {% set state = namespace(edge_count=1, rounds=0, jumps=0, edges=edges) %}
    {% set max_rounds = var('identity_max_rounds') %}
    {% set hooks = [] %}

    {% for round in range(1, max_rounds + 2) %}
        {% set state.edge_count = components_count(state.edges ~ ' where left_id != right_id') %}
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
        {% set jumped = components_parents(tables, round, state.edges, state.edge_count) %}
        {% set state.jumps = state.jumps + jumped.jumps %}
        {% do hooks.append(jumped.parents) %}
        {% set contracted = components_scratch(
            tables, 'edges_' ~ (round + 1), components_contracted_sql(state.edges, jumped.parents)
        ) %}
        {% if state.edges != edges %}
            {% do components_drop(tables, [state.edges]) %}
        {% endif %}
        {% set state.edges = contracted %}
    {% endfor %}

    {% if state.edges != edges %}
        {% do components_drop(tables, [state.edges]) %}
    {% endif %}

    {% set labels = components_scratch(
        tables, 'labels', components_composed_sql(hooks, edges)
    ) %}
    {% do components_drop(tables, hooks | list) %}
    {% do return({'labels': labels, 'rounds': state.rounds, 'jumps': state.jumps}) %}
{% endmacro %}
