{# What changes in the table when edges come and go, found from the state and the components
   they touch. Returns a dict with `flaw`, the reason for a full run, or with the scratch
   tables to apply. #}
{% macro update_components(tables, graph_sql, published, state, columns) %}
    {% set flaw = components_state_flaw(state, published, columns) %}
    {% if flaw %}
        {% do return({'flaw': flaw}) %}
    {% endif %}
    {% set former = dict(run_query('select * from ' ~ state.state).rows[0].items()) %}
    {% set seed = former.seed | int %}
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
        tables, 'removed', 'select * from ' ~ delta ~ ' where is_removed = 1'
    ) %}
    {% set update = {
        'flaw': '',
        'rounds': 0,
        'jumps': 0,
        'former': former,
        'added': components_count(added),
        'removed': components_count(removed),
        'edges_added': added,
        'edges_removed': removed,
    } %}
    {% if update.added + update.removed == 0 %}
        {% do return(update) %}
    {% elif update.added + update.removed > max_share * [former.edge_count | int, 1] | max %}
        {% do return({'flaw': 'too much has changed'}) %}
    {% endif %}

    {# One transaction from here to the last write: rows are found again by where they lie. #}
    {% set rows = '(' ~ components_stored_sql(published, columns[0]) ~ ')' %}
    {% set ends = components_scratch(tables, 'ends', components_ends_sql(delta, seed)) %}
    {% set known = components_scratch(
        tables, 'known', components_known_sql(rows, ends, removed)
    ) %}
    {% if components_count('(' ~ components_homonyms_sql(ends, known) ~ ') as homonyms') > 0 %}
        {% do return({'flaw': 'two keys share a hash'}) %}
    {% endif %}
    {% set severed = components_scratch(
        tables, 'severed', components_severed_sql(state.edges, removed, known)
    ) %}
    {% set members = components_scratch(
        tables, 'members', components_members_sql(rows, known, severed, removed)
    ) %}
    {% if components_count(members) > max_share * [former.row_count | int, 1] | max %}
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
        tables, 'vanished', components_vanished_sql(severed, ends)
    ) %}
    {% set vertices = components_scratch(
        tables, 'vertices', components_vertices_sql(rows, placed, members, vanished)
    ) %}
    {% set found = components_labels(tables, edges) %}
    {% set rooted = components_scratch(
        tables, 'rooted', components_rooted_sql(vertices, found.labels)
    ) %}
    {% set named = components_scratch(tables, 'named', components_named_sql(rooted, seed)) %}
    {% set moved = components_scratch(
        tables, 'moved', components_moved_sql(rows, members, rooted, named)
    ) %}
    {% do update.update({
        'rounds': found.rounds,
        'jumps': found.jumps,
        'moved': moved,
        'doomed': components_scratch(
            tables, 'doomed', components_doomed_sql(known, moved, vanished)
        ),
    }) %}
    {% do return(update) %}
{% endmacro %}
