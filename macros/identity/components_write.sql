{# A full run's table, swapped in as dbt's own table materialization does, and its state.
   Returns the old table, to be dropped after the commit. #}
{% macro components_replace(components, existing, target, state, has_state) %}
    {% set intermediate = make_intermediate_relation(target) %}
    {% set backup = make_backup_relation(target, 'table' if existing is none else existing.type) %}
    {% do drop_relation_if_exists(load_cached_relation(intermediate)) %}
    {% do drop_relation_if_exists(load_cached_relation(backup)) %}
    {% call statement('build') %}
        {{ get_create_table_as_sql(False, intermediate, components.sql) }}
    {% endcall %}
    {% do create_indexes(intermediate) %}
    {% do components_forget(state) %}
    {% for part in components_state_parts() %}
        {% do drop_relation_if_exists(load_cached_relation(state[part])) %}
    {% endfor %}
    {% if existing is not none %}
        {% do adapter.rename_relation(existing, backup) %}
    {% endif %}
    {% do adapter.rename_relation(intermediate, target) %}
    {% if has_state %}
        {% for part in components_state_parts() %}
            {% call statement(part) %}
                {{ get_create_table_as_sql(False, state[part], components[part ~ '_sql']) }}
            {% endcall %}
        {% endfor %}
        {% do components_remember(
            state, components_state_sql(target, state, components.seed)
        ) %}
    {% endif %}
    {% do return(backup) %}
{% endmacro %}

{# An incremental run's changes to the table and the state. #}
{% macro components_apply(update, target, state, columns) %}
    {% if update.added + update.removed > 0 %}
        {% set locator = row_locator(columns[0]) %}
        {% do replace_rows(
            target,
            [locator],
            'select locator as ' ~ locator ~ ' from ' ~ update.doomed,
            'select node_key, cluster_key from ' ~ update.moved
        ) %}
        {% do replace_rows(
            state.nodes,
            ['node_id'],
            'select node_id from ' ~ update.doomed,
            'select node_id, root_id from ' ~ update.moved
        ) %}
        {% do replace_rows(
            state.labels,
            ['root_id'],
            'select root_id from ' ~ update.lapsed,
            'select label_id, cluster_key from ' ~ update.named
        ) %}
        {% do replace_rows(
            state.edges,
            ['left_id', 'right_id'],
            'select left_id, right_id from ' ~ update.edges_removed,
            'select left_id, right_id from ' ~ update.edges_added
        ) %}
        {% do components_remember(state, components_next_state_sql(update.former, update)) %}
    {% endif %}
{% endmacro %}

{% macro components_forget(state) %}
    {% if load_cached_relation(state.state) is not none %}
        {# dbt's own macros drop outside a transaction if none is open yet. #}
        {% call statement('forget') %}
            drop table if exists {{ state.state }}
        {% endcall %}
        {% do adapter.cache_dropped(state.state) %}
    {% endif %}
{% endmacro %}

{% macro components_remember(state, state_sql) %}
    {% call statement('remember') %}
        {{ get_create_table_as_sql(False, state.state, state_sql) }}
    {% endcall %}
{% endmacro %}
