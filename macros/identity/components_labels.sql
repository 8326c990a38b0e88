{# Connected components by hook, jump and contract. In each round every node hooks to its
   smallest neighbour, pointers jump to the roots, and the edges between different roots are
   the graph of the next round. Two rounds at least halve the nodes (in practice they shrink
   20 to 40 fold), so chains, hubs and trees all end after a logarithmic number of rounds,
   where label propagation needs as many as a chain is long. A small graph costs less than dbt's
   work on its statements, so three rounds of it are one where the engine is up to it. #}
{% macro components_labels(tables, edges, edge_count) %}
    {% set state = namespace(edges=edges, edge_count=edge_count, rounds=0, jumps=0) %}
    {% set max_rounds = var('identity_max_rounds') %}
    {% set hooks = [] %}

    {% for _ in range(max_rounds + 1) %}
        {% if state.edge_count == 0 %}
            {% break %}
        {% elif state.rounds >= max_rounds %}
            {% do drop_scratch_tables(tables) %}
            {% do exceptions.raise_compiler_error(
                this.identifier ~ ' has not converged: ' ~ state.edge_count ~ ' edges left after '
                ~ max_rounds ~ ' rounds (var identity_max_rounds). The table was not changed.'
            ) %}
        {% endif %}
        {% set name = '_' ~ (state.rounds + 1) %}
        {% set former = [state.edges] | select('in', tables) | reject('equalto', edges) | list %}
        {% if components_are_few(state.edge_count) and computes_ctes_once() %}
            {% set rounds = [3, max_rounds - state.rounds] | min %}
            {% set parents = components_tables(['parents' ~ name])[0] %}
            {% set left_count, done = components_make(
                tables,
                {parents: components_few_rounds_sql(state.edges, rounds)},
                'select sum(has_moved), max(rounds) from ' ~ parents
            ) %}
            {% set state.edges = components_left_sql(parents) %}
            {% set state.edge_count = left_count %}
            {% set state.rounds = state.rounds + done %}
            {% set state.jumps = state.jumps + 3 * done %}
        {% else %}
            {% set jumped = components_parents(tables, name, state.edges, state.edge_count) %}
            {% set parents = jumped.parents %}
            {% set contracted = components_tables(['edges' ~ name])[0] %}
            {% set state.edge_count = components_make(
                tables,
                {contracted: components_contracted_sql(state.edges, parents)},
                components_counts_sql([contracted])
            )[0] %}
            {% set state.edges = contracted %}
            {% set state.rounds = state.rounds + 1 %}
            {% set state.jumps = state.jumps + jumped.jumps %}
        {% endif %}
        {% do hooks.append(parents) %}
        {% do components_drop(tables, former) %}
    {% endfor %}

    {% if state.edges != edges and state.edges in tables %}
        {% do components_drop(tables, [state.edges]) %}
    {% endif %}
    {% do return({
        'labels_sql': components_composed_sql(hooks, edges),
        'parents': hooks,
        'rounds': state.rounds,
        'jumps': state.jumps,
    }) %}
{% endmacro %}
