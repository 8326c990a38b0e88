{# What changes in the table when edges come and go, found from the state and the components
   they touch. Returns a dict with `flaw`, the reason for a full run, or with the scratch
   tables to apply. #}
{% macro update_components(tables, graph_sql, published, state, columns) %}
    {% set stored = components_stored_state(state, published, columns) %}
    {% if stored.flaw %}
        {% do return(stored) %}
    {% endif %}
    {% set former = stored.row %}
    {% set seed = former.seed | int %}
    {% set max_share = var('identity_incremental_max_share') | float %}
    {% set changes = config.get('changes') %}

    {% set delta, added, removed = components_tables(['delta', 'added', 'removed']) %}
    {% set added_count, removed_count = components_make(
        tables,
        {
            delta: components_given_sql(ref(changes), state.edges, seed) if changes
                else components_compared_sql(graph_sql, state.edges, seed),
            added: 'select distinct left_id, right_id from ' ~ delta ~ ' where is_removed = 0',
            removed: 'select * from ' ~ delta ~ ' where is_removed = 1',
        },
        components_counts_sql([added, removed])
    ) %}
    {% set update = {
        'flaw': '',
        'rounds': 0,
        'jumps': 0,
        'former': former,
        'added': added_count,
        'removed': removed_count,
        'edges_added': added,
        'edges_removed': removed,
    } %}
    {% if added_count + removed_count == 0 %}
        {% do return(update) %}
    {% elif added_count + removed_count > max_share * [former.edge_count | int, 1] | max %}
        {% do return({'flaw': 'too much has changed'}) %}
    {% endif %}

    {# One transaction from here to the last write: rows are found again by where they lie. #}
    {% set rows = '(' ~ components_stored_sql(published, columns[0]) ~ ')' %}
    {% set ends, known, severed, members = components_tables(
        ['ends', 'known', 'severed', 'members']
    ) %}
    {% set homonym_count, member_count = components_make(
        tables,
        {
            ends: components_ends_sql(delta, seed),
            known: components_known_sql(rows, ends, removed),
            severed: components_severed_sql(state.edges, removed, known),
            members: components_members_sql(rows, known, severed, removed),
        },
        components_counts_sql(
            ['(' ~ components_homonyms_sql(ends, known) ~ ') as homonyms', members]
        )
    ) %}
    {% if homonym_count > 0 %}
        {% do return({'flaw': 'two keys share a hash'}) %}
    {% elif member_count > max_share * [former.row_count | int, 1] | max %}
        {% do return({'flaw': 'the changes touch too large components'}) %}
    {% endif %}

    {% set remaining, placed, edges, vanished, vertices = components_tables(
        ['remaining', 'placed', 'quotient', 'vanished', 'vertices']
    ) %}
    {% set edge_count = components_make(
        tables,
        {
            remaining: components_remaining_sql(state.edges, members, removed),
            placed: components_placed_sql(ends, known, members),
            edges: components_quotient_sql(added, placed, remaining),
            vanished: components_vanished_sql(severed, ends),
            vertices: components_vertices_sql(rows, placed, members, vanished),
        },
        components_linking_sql(edges)
    )[0] %}
    {% set found = components_labels(tables, edges, edge_count) %}

    {% set labels, rooted, named, moved, doomed = components_tables(
        ['labels', 'rooted', 'named', 'moved', 'doomed']
    ) %}
    {% do components_make(tables, {
        labels: found.labels_sql,
        rooted: components_rooted_sql(vertices, labels),
        named: components_named_sql(rooted, seed),
        moved: components_moved_sql(rows, members, rooted, named),
        doomed: components_doomed_sql(known, moved, vanished),
    }) %}
    {% do update.update(
        {'rounds': found.rounds, 'jumps': found.jumps, 'moved': moved, 'doomed': doomed}
    ) %}
    {% do return(update) %}
{% endmacro %}
