{# A table of the connected components of a graph: one row per node. The model's select is
   the graph (node_key, neighbour_key; neighbour_key null for a node without an edge); the
   table has the columns named by the configs node_column and cluster_column. The swap is
   that of dbt's own table materialization: readers see the old table or the new one. #}
{% materialization connected_components, default %}

    {% set existing_relation = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set intermediate_relation = make_intermediate_relation(target_relation) %}
    {% set backup_type = 'table' if existing_relation is none else existing_relation.type %}
    {% set backup_relation = make_backup_relation(target_relation, backup_type) %}
    {% set grant_config = config.get('grants') %}

    {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
    {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set components = resolve_components(
        compiled_code,
        node_column=config.get('node_column', 'node_key'),
        cluster_column=config.get('cluster_column', 'cluster_key'),
        max_rounds=var('identity_max_rounds')
    ) %}
    {% call statement('build') %}
        {{ get_create_table_as_sql(False, intermediate_relation, components.sql) }}
    {% endcall %}
    {% do drop_scratch_tables(components.scratch_tables) %}
    {% do create_indexes(intermediate_relation) %}

    {% if existing_relation is not none %}
        {{ adapter.rename_relation(existing_relation, backup_relation) }}
    {% endif %}
    {{ adapter.rename_relation(intermediate_relation, target_relation) }}

    {# What run_results.json keeps of this node: proof of how it converged. #}
    {% set message = 'CONNECTED in ' ~ components.rounds ~ ' rounds, '
        ~ components.jumps ~ ' jumps' %}
    {% call noop_statement('main', message=message, code='CONNECTED') %}
        {{ components.sql }}
    {% endcall %}
    {% do log(this.identifier ~ ': ' ~ message) %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}

    {% set revoke = should_revoke(existing_relation, full_refresh_mode=True) %}
    {% do apply_grants(target_relation, grant_config, should_revoke=revoke) %}
    {% do persist_docs(target_relation, model) %}

    {{ adapter.commit() }}

    {{ drop_relation_if_exists(backup_relation) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}
