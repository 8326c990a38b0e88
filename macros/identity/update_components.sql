{# What changes in the table when edges come and go, found from the state and the components
   they touch. Returns a dict with `flaw`, the reason for a full run, or with the scratch
   tables to apply. Nothing is written here. #}
{% macro update_components(tables, graph_sql, published, state, columns) %}
    {% set flaw = components_state_flaw(state, published, columns) %}
    {% if flaw %}
        {% do return({'flaw': flaw}) %}
    {% endif %}
    {% set stored = run_query(
        'select seed, edge_count, node_count from ' ~ state.state
    ).rows[0] %}
    {% set seed = stored[0] | int %}
    {% set max_share = var('identity_incremental_max_share') | float %}

    {% set changes = config.get('changes') %}
    {% set delta = components_scratch(
        tables,
        'delta',
        components_given_sql(ref(changes), state.edges, seed) if changes
        else components_compared_sql(graph_sql, state.edges, seed)
    ) %}
    {% set added = components_scratch(
        tables, 'added', 'select distinct left_id, right_id from ' ~ delta ~ ' where is_removed = 0'
    ) %}
    {% set removed = components_scratch(
        tables, 'removed', 'select left_id, right_id from ' ~ delta ~ ' where is_removed = 1'
    ) %}
    {% set counts = {
        'added': components_count(added),
        'removed': components_count(removed),
    } %}
    {% set update = {'flaw': '', 'rounds': 0, 'jumps': 0, 'seed': seed} %}
    {% do update.update(counts) %}
    {% if counts.added + counts.removed == 0 %}
        {% do return(update) %}
    {% elif counts.added + counts.removed > max_share * [stored[1] | int, 1] | max %}
        {% do return({'flaw': 'too much has changed'}) %}
    {% endif %}

    {% set ends = components_scratch(tables, 'ends', components_ends_sql(delta, seed)) %}
    {% set known = components_scratch(
        tables, 'known', components_known_sql(state.nodes, ends, removed)
    ) %}
    {% set members = components_scratch(
        tables, 'members', components_members_sql(state.nodes, known, removed)
    ) %}
    {% if components_count(members) > max_share * [stored[2] | int, 1] | max %}
        {% do return({'flaw': 'the changes touch too large components'}) %}
    {% endif %}
    {% set remaining = components_scratch(
        tables, 'remaining', components_remaining_sql(state.edges, members, removed)
    ) %}
    {% set placed = components_scratch(
        tables, 'placed', components_placed_sql(ends, known, members)
    ) %}
    {% set edges = components_scratch(
        tables, 'quotient', components_quotient_sql(added, placed, remaining)
    ) %}
    {% set vanished = components_scratch(
        tables, 'vanished', components_vanished_sql(removed, remaining, placed)
    ) %}
    {% set vertices = components_scratch(
        tables, 'vertices', components_vertices_sql(placed, members, vanished)
    ) %}
    {% set found = components_labels(tables, edges) %}
    {% set rooted = components_scratch(
        tables, 'rooted', components_rooted_sql(vertices, found.labels)
    ) %}
    {% set loose = components_scratch(tables, 'loose', components_loose_sql(rooted)) %}
    {% set stirred = components_scratch(
        tables, 'stirred', components_stirred_sql(state.nodes, loose)
    ) %}
    {% set keys = components_scratch(
        tables, 'keys', components_keys_sql(published, columns, stirred, ends, vanished, seed)
    ) %}
    {% set homonyms %}
        {{ ends }} as ends inner join {{ keys }} as keys
        on ends.node_id = keys.node_id and ends.node_key != keys.node_key
    {% endset %}
    {% set end_ids = components_count('(select distinct node_id from ' ~ ends ~ ') as ids') %}
    {% if components_count(homonyms) > 0 or end_ids != components_count(ends) %}
        {% do return({'flaw': 'two keys share a hash'}) %}
    {% endif %}
    {% set told = components_scratch(tables, 'told', components_told_sql(stirred, keys, ends)) %}
    {% set named = components_scratch(tables, 'named', components_named_sql(told, seed)) %}
    {% do update.update({
        'rounds': found.rounds,
        'jumps': found.jumps,
        'edges_added': added,
        'edges_removed': removed,
        'moved': components_scratch(tables, 'moved', components_moved_sql(told, named)),
    }) %}
    {% do update.update({'doomed': components_scratch(
        tables, 'doomed', components_doomed_sql(update.moved, keys, vanished)
    )}) %}
    {% do return(update) %}
{% endmacro %}
