{# Every node's root within one round. A jump doubles the distance a pointer spans, so 64
   are enough for any graph that bigints can number. #}
{% macro components_parents(name, edges, tables) %}
    {% set state = namespace(parents=none, jumps=0) %}
    {% set state.parents = create_scratch_table(name ~ '_0', components_hook_sql(edges)) %}
    {% do tables.append(state.parents) %}
    {% for jump in range(1, 65) %}
        {% set jumped = create_scratch_table(name ~ '_' ~ jump, components_jump_sql(state.parents)) %}
        {% do tables.append(jumped) %}
        {% do drop_scratch_tables([state.parents]) %}
        {% do tables.remove(state.parents) %}
        {% set state.parents = jumped %}
        {% set state.jumps = jump %}
        {% if components_count(jumped ~ ' where has_moved = 1') == 0 %}
            {% break %}
        {% endif %}
    {% endfor %}
    {% do return({'parents': state.parents, 'jumps': state.jumps}) %}
{% endmacro %}
