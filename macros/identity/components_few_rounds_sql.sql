{# Whether a round costs less than dbt's work on its statements. #}
{% macro components_are_few(edge_count) %}
    {% do return(edge_count <= 100000) %}
{% endmacro %}

{# Rounds of three jumps in one statement, and how many of them had edges. What is left of the edges
   is told as nodes that have moved, as it is of a round: with an edge to their parents. #}
{% macro components_few_rounds_sql(edges, rounds) %}
    with edges_1 as (
        select left_id, right_id from {{ edges }} where left_id != right_id
    )
    {%- set hooks = [] %}
    {%- for round in range(1, rounds + 1) %},
    {{ components_round_ctes(round, 'edges_' ~ round) }},
        {%- do hooks.append('parents_' ~ round ~ '_3') %}
    edges_{{ round + 1 }} as (
        {{ components_contracted_sql('edges_' ~ round, hooks[-1]) }}
    )
    {%- endfor %},
    needed as (
        select 1
            {%- for round in range(2, rounds + 1) %}
            + case when exists (select 1 from edges_{{ round }}) then 1 else 0 end
            {%- endfor %} as rounds
    )
    select labels.node_id, labels.parent_id, 0 as has_moved, needed.rounds
    from ({{ components_composed_sql(hooks, 'edges_1') }}) as labels
    cross join needed
    union all
    select edges.right_id, edges.left_id, 1 as has_moved, needed.rounds
    from edges_{{ rounds + 1 }} as edges
    cross join needed
{% endmacro %}

{# The hook and three jumps. #}
{% macro components_round_ctes(round, edges) %}
    parents_{{ round }}_0 as (
        {{ components_hook_sql(edges) }}
    )
    {%- for jump in range(1, 4) %},
    parents_{{ round }}_{{ jump }} as (
        {{ components_jump_sql('parents_' ~ round ~ '_' ~ (jump - 1)) }}
    )
    {%- endfor %}
{% endmacro %}

{# The edges that such a statement leaves. #}
{% macro components_left_sql(parents) %}
    {% do return(
        '(select parent_id as left_id, node_id as right_id from ' ~ parents
        ~ ' where has_moved = 1) as edges'
    ) %}
{% endmacro %}
