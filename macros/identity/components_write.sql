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
    {% do drop_relation_if_exists(load_cached_relation(state.edges)) %}
    {% if existing is not none %}
        {% do adapter.rename_relation(existing, backup) %}
    {% endif %}
    {% do adapter.rename_relation(intermediate, target) %}
    {% if has_state %}
        {% call statement('edges') %}
            {{ get_create_table_as_sql(False, state.edges, components.edges_sql) }}
        {% endcall %}
        {% do components_remember(
            state, components_state_sql(target, state.edges, components.seed)
        ) %}
    {% endif %}
    {% do return(backup) %}
{% endmacro %}

{# An incremental run's changes to the table and the state. #}
{% macro components_apply(update, target, state, columns) %}
    {% if update.added + update.removed > 0 %}
        {% do components_forget(state) %}
        {% set locator = row_locator([columns[0]]) %}
        {% do replace_rows(
            target,
            locator,
            'select locator as ' ~ locator[0] ~ ' from ' ~ update.doomed,
            'select node_key, cluster_key, node_id, root_id from ' ~ update.moved
        ) %}
        {% set edge_locator, located = components_edge_locator(), [] %}
        {% for column in edge_locator %}
            {% do located.append('locator_' ~ loop.index ~ ' as ' ~ column) %}
        {% endfor %}
        {% do replace_rows(
            state.edges,
            edge_locator,
            'select ' ~ located | join(', ') ~ ' from ' ~ update.edges_removed,
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
