{# A table of the connected components of a graph: one row per node. The model's select is
   the graph (node_key, neighbour_key; neighbour_key null for a node without an edge); the
   table has the columns named by the configs node_column and cluster_column. With
   `incremental=true` a run changes only the components that changed edges touch, which it finds
   by two more columns, node_id and root_id. Readers see the old table or the new one. #}
{% materialization connected_components, default %}

    {% set existing_relation = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set grant_config = config.get('grants') %}
    {% set columns = [
        config.get('node_column', 'node_key'), config.get('cluster_column', 'cluster_key')
    ] %}
    {% set is_incremental_model = config.get('incremental', false) %}
    {% do columns.extend(['node_id', 'root_id'] if is_incremental_model else []) %}
    {% set state = components_state() %}
    {% set tables = [] %}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set update = update_components(tables, compiled_code, existing_relation, state, columns)
        if is_incremental_model else {'flaw': 'not incremental'} %}

    {% set backup_relation = none %}
    {% if update.flaw %}
        {% do components_drop(tables, tables | list) %}
        {% set components = resolve_components(
            tables, compiled_code, columns, is_incremental_model
        ) %}
        {% set mode = 'full: ' ~ update.flaw %}
        {% set backup_relation = components_replace(
            components, existing_relation, target_relation, state, is_incremental_model
        ) %}
    {% else %}
        {% set components = update %}
        {% set mode = 'incremental: ' ~ update.added ~ ' added, ' ~ update.removed ~ ' removed' %}
        {% do components_apply(update, target_relation, state, columns) %}
    {% endif %}

    {# What run_results.json keeps of this node: proof of how it converged. #}
    {% set message = 'CONNECTED in ' ~ components.rounds ~ ' rounds, '
        ~ components.jumps ~ ' jumps (' ~ mode ~ ')' %}
    {% call noop_statement('main', message=message, code='CONNECTED') %}
        {{ components.sql }}
    {% endcall %}
    {% do log(this.identifier ~ ': ' ~ message) %}
    {% do drop_scratch_tables(tables) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% set revoke = should_revoke(existing_relation, full_refresh_mode=update.flaw != '') %}
    {% do apply_grants(target_relation, grant_config, should_revoke=revoke) %}
    {% do persist_docs(target_relation, model) %}

    {{ adapter.commit() }}

    {% if backup_relation is not none %}
        {{ drop_relation_if_exists(backup_relation) }}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {% set kept = state.values() | list if is_incremental_model else [] %}
    {{ return({'relations': [target_relation] + kept}) }}

{% endmaterialization %}
