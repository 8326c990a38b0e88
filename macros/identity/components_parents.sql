{# Every node's root within one round. A jump doubles the distance a pointer spans, so 64 are enough
   for any graph that bigints can number. The last nodes are left to the next round, which is small:
   a jump costs as much for one node as for all. One for a thousand edges keeps the number of
   rounds what it is. Of a small graph hook and jumps are one statement on every engine. #}
{% macro components_parents(tables, name, edges, edge_count) %}
    {% set name = 'parents' ~ name ~ '_' %}
    {% if components_are_few(edge_count) %}
        {% set sql %}
            with {{ components_round_ctes(1, edges) }}
            select node_id, parent_id, has_moved from parents_1_3
        {% endset %}
        {% do return({'parents': components_scratch(tables, name ~ '3', sql), 'jumps': 3}) %}
    {% endif %}
    {% set state = namespace(jumps=0) %}
    {% set state.parents = components_scratch(tables, name ~ '0', components_hook_sql(edges)) %}
    {% for jump in range(1, 65) %}
        {% set jumped = components_tables([name ~ jump])[0] %}
        {% set moved_count = components_make(
            tables,
            {jumped: components_jump_sql(state.parents)},
            components_counts_sql([jumped ~ ' where has_moved = 1'])
        )[0] %}
        {% do components_drop(tables, [state.parents]) %}
        {% set state.parents = jumped %}
        {% set state.jumps = jump %}
        {% if moved_count * 1000 <= edge_count %}
            {% break %}
        {% endif %}
    {% endfor %}
    {% do return({'parents': state.parents, 'jumps': state.jumps}) %}
{% endmacro %}
