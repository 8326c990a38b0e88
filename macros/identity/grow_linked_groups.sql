{# One round joins every two groups that are each other's best match, and with them the groups
   whose best match is the smaller of the two. The best pair of all is always among them, so every
   round joins something or is the last. #}
{% macro grow_linked_groups(tables, pairs_sql, forms_name) %}
    {% set forms = ref(forms_name) %}
    {% set max_rounds = var('identity_max_rounds') %}
    {% set state = namespace(rounds=0, moves=1) %}
    {% set links = components_scratch(tables, 'links', linked_groups_links_sql(pairs_sql, forms)) %}
    {% set state.labels = components_scratch(tables, 'groups_0', linked_groups_start_sql(links)) %}
    {% set state.judged = components_scratch(tables, 'judged_0', linked_groups_none_sql(links)) %}

    {% for round in range(1, max_rounds + 2) %}
        {% if round > max_rounds %}
            {% do drop_scratch_tables(tables) %}
            {% do exceptions.raise_compiler_error(
                this.identifier ~ ' has not converged: groups were still joined in round '
                ~ max_rounds ~ ' (var identity_max_rounds). The table was not changed.'
            ) %}
        {% endif %}
        {% set kept = tables | list %}
        {% set meetings = components_scratch(
            tables, 'meetings', linked_groups_meetings_sql(links, state.labels, state.judged)
        ) %}
        {% set judged = linked_groups_judge(tables, 'judged', meetings, state.labels, forms) %}
        {% set all_judged = components_scratch(
            tables, 'judged_' ~ round,
            'select * from ' ~ state.judged ~ ' union all select * from ' ~ judged
        ) %}
        {% set picks = components_scratch(tables, 'picks', linked_groups_picks_sql(all_judged)) %}
        {% set moves = linked_groups_moves(tables, picks, state.labels, forms) %}
        {% set state.rounds = round %}
        {% set state.moves = components_count(moves) %}
        {% if state.moves == 0 %}
            {% break %}
        {% endif %}
        {% set labels = components_scratch(
            tables, 'groups_' ~ round, linked_groups_moved_sql(state.labels, moves)
        ) %}
        {# What was judged of a group that grew has to be judged again. #}
        {% set still_judged = components_scratch(
            tables, 'still_judged_' ~ round, linked_groups_unmoved_sql(all_judged, moves)
        ) %}
        {% do components_drop(tables, tables | reject('in', kept + [labels, still_judged]) | list) %}
        {% do components_drop(tables, [state.labels, state.judged]) %}
        {% set state.labels = labels %}
        {% set state.judged = still_judged %}
    {% endfor %}
    {% do return({'labels': state.labels, 'rounds': state.rounds}) %}
{% endmacro %}

{# Which groups join which. A root with several followers is judged as a whole: any two of them, and
   by the guards all together, because limits are kept by pairs that the whole exceeds. Where that
   fails only the best of them joins, and the others are asked again in the next round. #}
{% macro linked_groups_moves(tables, picks, labels, forms) %}
    {% set stars = components_scratch(tables, 'stars', linked_groups_stars_sql(picks)) %}
    {% set rest = components_scratch(tables, 'rest', linked_groups_rest_sql(stars)) %}
    {% set verdicts = linked_groups_judge(tables, 'verdicts', rest, labels, forms) %}
    {% set wholes = components_scratch(
        tables, 'wholes', linked_groups_wholes_sql(stars, labels, forms)
    ) %}
    {% set refused = components_scratch(
        tables, 'wholes_refused', identity_violations(wholes, 1000, true)
    ) %}
    {% do return(components_scratch(
        tables, 'moves', linked_groups_moves_sql(stars, verdicts, refused)
    )) %}
{% endmacro %}

{# Every two groups of `meetings` (left_label, right_label): the means of their weights over all
   pairs of their forms, the probability they add up to, and whether a guard objects. #}
{% macro linked_groups_judge(tables, name, meetings, labels, forms) %}
    {% set crossed = linked_groups_crossed_sql(meetings, labels, forms) %}
    {% set averaged = components_scratch(
        tables, name ~ '_averaged', linked_groups_averaged_sql(crossed, forms)
    ) %}
    {% set likely = components_scratch(
        tables, name ~ '_likely', linked_groups_likely_sql(averaged)
    ) %}
    {% set proposals = components_scratch(
        tables, name ~ '_proposals', linked_groups_proposals_sql(likely, labels, forms)
    ) %}
    {% set refused = components_scratch(
        tables, name ~ '_refused', identity_violations(proposals, 1000, true)
    ) %}
    {% do return(components_scratch(tables, name, linked_groups_judged_sql(likely, refused))) %}
{% endmacro %}
