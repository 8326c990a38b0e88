{# One step per priority: its edges propose to join groups, and a joint group that no person
   can be stays apart. What was joined by better evidence is never undone by worse. #}
{% macro grow_guarded_components(graph_sql) %}
    {% set prefix = 'gc_' ~ local_md5(invocation_id ~ model.unique_id)[:12] ~ '_' %}
    {% set state = namespace(refusals=0) %}
    {% set graph = create_scratch_table(prefix ~ 'graph', graph_sql) %}
    {% set state.labels = create_scratch_table(
        prefix ~ 'labels_0',
        'select distinct node_key, node_key as label from ' ~ graph
    ) %}
    {% set priorities = run_query(
        'select distinct priority from ' ~ graph ~ ' where priority is not null order by priority'
    ).columns[0].values() | list %}

    {% for priority in priorities %}
        {% set steps = create_scratch_table(
            prefix ~ 'steps', guarded_components_steps_sql(graph, state.labels, priority)
        ) %}
        {% set components = resolve_components(
            'select * from ' ~ steps, 'label', 'group_key', var('identity_max_rounds')
        ) %}
        {% set proposals = create_scratch_table(
            prefix ~ 'proposals', guarded_components_proposals_sql(state.labels, components.sql)
        ) %}
        {% set refused = create_scratch_table(
            prefix ~ 'refused', identity_violations(proposals, priority)
        ) %}
        {% set state.refusals = state.refusals + components_count(refused) %}
        {% set labels = create_scratch_table(
            prefix ~ 'labels_' ~ loop.index, guarded_components_labels_sql(proposals, refused)
        ) %}
        {% do drop_scratch_tables(
            components.scratch_tables + [steps, proposals, refused, state.labels]
        ) %}
        {% set state.labels = labels %}
    {% endfor %}
    {% do drop_scratch_tables([graph]) %}

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
