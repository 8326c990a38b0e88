{# Groups grown from single nodes by a graph of evidence, under the guards. Decisions of people, the
   evidence of priority 0, join what the other evidence makes of their records: two customers, not
   two records of them. So the evidence is grown without them first, then they join, then what
   was left out for their want is tried again. #}
{% macro grow_guarded_components(tables, graph_sql) %}
    {% set graph = components_scratch(tables, 'evidence', graph_sql) %}
    {% set singles = components_scratch(
        tables, 'singles', 'select distinct node_key, node_key as label from ' ~ graph
    ) %}
    {% set priorities = run_query(
        'select distinct priority from ' ~ graph ~ ' where priority is not null order by priority'
    ).columns[0].values() | map('int') | list %}
    {% set trusted = priorities | reject('equalto', 0) | list %}
    {% if 0 not in priorities %}
        {% do return(grow_by_priorities(tables, 'alone', graph, singles, trusted)) %}
    {% endif %}

    {% set told = grow_by_priorities(tables, 'told', graph, singles, [0]) %}
    {% set decided = components_scratch(
        tables, 'decided', guarded_components_decided_sql(told.labels)
    ) %}
    {% set proven = grow_by_priorities(tables, 'proven', graph, singles, trusted, decided) %}
    {% set joined = join_decided_components(tables, proven.labels, decided) %}
    {% set touched = guarded_components_touched(tables, graph) %}
    {% set grown = grow_by_priorities(tables, 'grown', touched, joined, trusted, decided) %}
    {% do return({
        'labels': grown.labels,
        'steps': priorities | length,
        'refusals': told.refusals + proven.refusals + grown.refusals,
    }) %}
{% endmacro %}

{# One priority after the other: its evidence proposes to join groups, and a joint group that no
   person can be stays apart. What was joined by better evidence is never undone by worse. #}
{% macro grow_by_priorities(tables, name, graph, start, priorities, decided=none) %}
    {% set state = namespace(refusals=0, labels=start) %}
    {% for priority in priorities %}
        {% set number = name ~ '_' ~ loop.index %}
        {% set going = namespace(on=true, left_out=components_scratch(
            tables, 'left_out_' ~ number, 'select label from ' ~ state.labels ~ ' where 1 = 0'
        )) %}
        {# Who contradicts whom is left out, and the limits are checked again for the rest. #}
        {% for attempt in range(10) if going.on %}
            {% set kept = tables | list %}
            {% set steps = components_scratch(tables, 'steps', guarded_components_steps_sql(
                graph, state.labels, priority, going.left_out
            )) %}
            {% set components = resolve_components(
                tables, 'select * from ' ~ steps, ['label', 'group_key'], false
            ) %}
            {% set proposals = components_scratch(
                tables, 'proposals', guarded_components_proposals_sql(state.labels, components.sql)
            ) %}
            {% set refused = components_scratch(
                tables, 'refused', identity_violations(proposals, priority, decided=decided)
            ) %}
            {% set labels = components_scratch(
                tables,
                'groups_' ~ number ~ '_' ~ attempt,
                guarded_components_labels_sql(proposals, refused)
            ) %}
            {% set left_out = components_scratch(
                tables,
                'left_out_' ~ number ~ '_' ~ attempt,
                guarded_components_left_out_sql(proposals, refused, going.left_out)
            ) %}
            {% set refused_count = components_count(refused) %}
            {% set state.refusals = state.refusals + refused_count %}
            {% set going.on = refused_count > 0 and priority > 0 %}
            {% do components_drop(
                tables, tables | reject('in', kept + [labels, left_out]) | list
            ) %}
            {% do components_drop(
                tables, [state.labels, going.left_out] | reject('equalto', start) | list
            ) %}
            {% set state.labels = labels %}
            {% set going.left_out = left_out %}
        {% endfor %}
    {% endfor %}
    {% do return({
        'labels': state.labels, 'steps': priorities | length, 'refusals': state.refusals
    }) %}
{% endmacro %}

{# The holders of a value are a star; without those that are left out it is another one. #}
{% macro guarded_components_steps_sql(graph, labels, priority, left_out) %}
    select star.first_label as node_key, star.label as neighbour_key
    from (
        select
            labels.label,
            min(labels.label) over (partition by holders.star_key, holders.evidence)
                as first_label
        from (
            select node_key as star_key, evidence, node_key from {{ graph }}
            where priority = {{ priority }}
            union
            select node_key as star_key, evidence, neighbour_key as node_key from {{ graph }}
            where priority = {{ priority }}
        ) as holders
        inner join {{ labels }} as labels on holders.node_key = labels.node_key
        left join {{ left_out }} as left_out on labels.label = left_out.label
        where left_out.label is null
    ) as star
    where star.first_label != star.label
{% endmacro %}

{% macro guarded_components_proposals_sql(labels, components_sql) %}
    select
        labels.node_key,
        labels.label,
        coalesce(components.group_key, labels.label) as group_key
    from {{ labels }} as labels
    left join ({{ components_sql }}) as components on labels.label = components.label
{% endmacro %}

{% macro guarded_components_labels_sql(proposals, refused) %}
    select
        proposals.node_key,
        case when refused.group_key is null then proposals.group_key else proposals.label end
            as label
    from {{ proposals }} as proposals
    left join (select distinct group_key from {{ refused }}) as refused
        on proposals.group_key = refused.group_key
{% endmacro %}

{# A violation without a label is one of the whole group. #}
{% macro guarded_components_left_out_sql(proposals, refused, left_out) %}
    select label from {{ left_out }}
    union
    select label from {{ refused }} where label is not null
    union
    select proposals.label
    from {{ proposals }} as proposals
    inner join {{ refused }} as refused on proposals.group_key = refused.group_key
    where refused.label is null
{% endmacro %}
