{# Every node's root within one round. A jump doubles the distance a pointer spans, so 64
   are enough for any graph that bigints can number. The last nodes are left to the next
   round, which is small: a jump costs as much for one node as for all. One in a thousand
   keeps the number of rounds what it is. #}
{% macro components_parents(tables, round, edges) %}
    {% set state = namespace(jumps=0) %}
    {% set name = 'parents_' ~ round ~ '_' %}
    {% set state.parents = components_scratch(tables, name ~ '0', components_hook_sql(edges)) %}
    {% set node_count = components_count(state.parents) %}
    {% for jump in range(1, 65) %}
        {% set jumped = components_scratch(
            tables, name ~ jump, components_jump_sql(state.parents)
        ) %}
        {% do components_drop(tables, [state.parents]) %}
        {% set state.parents = jumped %}
        {% set state.jumps = jump %}
        {% if components_count(jumped ~ ' where has_moved = 1') * 1000 <= node_count %}
            {% break %}
        {% endif %}
    {% endfor %}
    {% do return({'parents': state.parents, 'jumps': state.jumps}) %}
{% endmacro %}
