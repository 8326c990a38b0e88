{# One step per priority: its edges propose to join groups, and a joint group that no person
   can be stays apart. What was joined by better evidence is never undone by worse. #}
{% macro grow_guarded_components(tables, graph_sql) %}
    {% set state = namespace(refusals=0) %}
    {% set graph = components_scratch(tables, 'evidence', graph_sql) %}
    {% set state.labels = components_scratch(
        tables, 'groups_0', 'select distinct node_key, node_key as label from ' ~ graph
    ) %}
    {% set priorities = run_query(
        'select distinct priority from ' ~ graph ~ ' where priority is not null order by priority'
    ).columns[0].values() | list %}

    {% for priority in priorities %}
        {% set kept = tables | list %}
        {% set steps = components_scratch(
            tables, 'steps', guarded_components_steps_sql(graph, state.labels, priority)
        ) %}
        {% set components = resolve_components(
            tables, 'select * from ' ~ steps, ['label', 'group_key'], false
        ) %}
        {% set proposals = components_scratch(
            tables, 'proposals', guarded_components_proposals_sql(state.labels, components.sql)
        ) %}
        {% set refused = components_scratch(
            tables, 'refused', identity_violations(proposals, priority)
        ) %}
        {% set state.refusals = state.refusals + components_count(refused) %}
        {% set labels = components_scratch(
            tables, 'groups_' ~ loop.index, guarded_components_labels_sql(proposals, refused)
        ) %}
        {% do components_drop(tables, tables | reject('in', kept + [labels]) | list) %}
        {% do components_drop(tables, [state.labels]) %}
        {% set state.labels = labels %}
    {% endfor %}

    {% do return({
        'labels': state.labels, 'steps': priorities | length, 'refusals': state.refusals
    }) %}
{% endmacro %}

{% macro guarded_components_steps_sql(graph, labels, priority) %}
    select one.label as node_key, other.label as neighbour_key
    from {{ graph }} as graph
    inner join {{ labels }} as one on graph.node_key = one.node_key
    inner join {{ labels }} as other on graph.neighbour_key = other.node_key
    where graph.priority = {{ priority }} and one.label != other.label
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
