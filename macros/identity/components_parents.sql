{# Every node's root within one round. A jump doubles the distance a pointer spans, so 64
   are enough for any graph that bigints can number. The last nodes are left to the next
   round, which is small: a jump costs as much for one node as for all. One for a thousand edges
   keeps the number of rounds what it is. Of a small graph a whole round costs less than dbt's
   work on its statements, so hook and jumps are one. #}
{% macro components_parents(tables, round, edges, edge_count) %}
    {% set name = 'parents_' ~ round ~ '_' %}
    {% set hook_sql = components_hook_sql(edges) %}
    {% if edge_count <= 100000 %}
        {% set jump_sql = components_jump_sql('hooks', 3, hook_sql) %}
        {% do return({'parents': components_scratch(tables, name ~ '3', jump_sql), 'jumps': 3}) %}
    {% endif %}
    {% set state = namespace(jumps=0) %}
    {% set state.parents = components_scratch(tables, name ~ '0', hook_sql) %}
    {% for jump in range(1, 65) %}
        {% set jumped = components_scratch(
            tables, name ~ jump, components_jump_sql(state.parents, 1)
        ) %}
        {% do components_drop(tables, [state.parents]) %}
        {% set state.parents = jumped %}
        {% set state.jumps = jump %}
        {% if components_count(jumped ~ ' where has_moved = 1') * 1000 <= edge_count %}
            {% break %}
        {% endif %}
    {% endfor %}
    {% do return({'parents': state.parents, 'jumps': state.jumps}) %}
{% endmacro %}
