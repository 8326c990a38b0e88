{# What decisions of people make of the groups that evidence made. Whom another decision parts from
   one of them leaves alone, so that the others are one: the later of the two, or the one about
   whom nothing else was decided. #}
{% macro join_decided_components(tables, labels, decided) %}
    {% set kept = tables | list %}
    {% set components = resolve_components(
        tables, guarded_components_ties_sql(labels, decided), ['label', 'group_key'], false
    ) %}
    {% set proposals = components_scratch(
        tables, 'tied', guarded_components_proposals_sql(labels, components.sql)
    ) %}
    {% set leavers = components_scratch(
        tables, 'leavers', guarded_components_leavers_sql(proposals, decided)
    ) %}
    {% set joined = components_scratch(
        tables, 'joined', guarded_components_joined_sql(proposals, leavers)
    ) %}
    {% do components_drop(tables, tables | reject('in', kept + [joined]) | list) %}
    {% do return(joined) %}
{% endmacro %}

{# Records that decisions make one, where nothing else that was decided forbids it. #}
{% macro guarded_components_decided_sql(labels) %}
    select node_key, label
    from (
        select node_key, label, count(*) over (partition by label) as node_count from {{ labels }}
    ) as told
    where node_count > 1
{% endmacro %}

{% macro guarded_components_ties_sql(labels, decided) %}
    select
        labels.label as node_key,
        {{ binary_min('labels.label', 'over (partition by decided.label)') }} as neighbour_key
    from {{ labels }} as labels
    inner join {{ decided }} as decided on labels.node_key = decided.node_key
{% endmacro %}

{# Without a node the whole group stays as the evidence made it: both of two that were told apart
   are tied by other decisions. #}
{% macro guarded_components_leavers_sql(proposals, decided) %}
    select distinct
        one.group_key,
        case
            when apart.are_both_tied then null
            when apart.does_left_stay then other.node_key
            else one.node_key
        end as node_key
    from ({{ decisions_apart(decided) }}) as apart
    inner join {{ proposals }} as one on apart.left_record_key = one.node_key
    inner join {{ proposals }} as other
        on apart.right_record_key = other.node_key and one.group_key = other.group_key
{% endmacro %}

{# Limits of values are for somebody to look at, but nothing makes a customer larger than a customer
   may be: the build would stop. #}
{% macro guarded_components_joined_sql(proposals, leavers) %}
    select
        node_key,
        case when is_joint then {{ binary_min('node_key', 'over (partition by group_key, leaver)') }}
            else label
        end as label
    from (
        select
            placed.*,
            sum(case when placed.leaver is null then 1 else 0 end) over (
                partition by placed.group_key
            ) <= {{ var('identity_max_records_per_customer') }}
            and max(case when refused.group_key is null then 0 else 1 end) over (
                partition by placed.group_key
            ) = 0 as is_joint
        from (
            select proposals.*, leavers.node_key as leaver
            from {{ proposals }} as proposals
            left join {{ leavers }} as leavers on proposals.node_key = leavers.node_key
        ) as placed
        left join (select group_key from {{ leavers }} where node_key is null) as refused
            on placed.group_key = refused.group_key
    ) as judged
{% endmacro %}

{# Evidence about groups that a decision is about. #}
{% macro guarded_components_touched(tables, graph) %}
    {% set kept = tables | list %}
    {% set drafted = resolve_components(
        tables, 'select node_key, neighbour_key from ' ~ graph, ['node_key', 'label'], false
    ) %}
    {% set drafts = components_scratch(tables, 'drafts', drafted.sql) %}
    {% set touched_sql %}
        select graph.node_key, graph.neighbour_key, graph.priority, graph.evidence
        from {{ graph }} as graph
        inner join {{ drafts }} as drafts on graph.node_key = drafts.node_key
        inner join (
            select distinct drafts.label
            from {{ graph }} as told
            inner join {{ drafts }} as drafts on told.node_key = drafts.node_key
            where told.priority = 0
        ) as touched on drafts.label = touched.label
    {% endset %}
    {% set touched = components_scratch(tables, 'touched', touched_sql) %}
    {% do components_drop(tables, tables | reject('in', kept + [touched]) | list) %}
    {% do return(touched) %}
{% endmacro %}
