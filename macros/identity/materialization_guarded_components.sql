{# A table of groups of nodes, grown from single nodes by the edges of a graph, the smallest
   priority first, where no step may join groups that the guards keep apart. The model's select
   is the graph: node_key, neighbour_key, priority, evidence (null for a node without an edge). #}
{% materialization guarded_components, default %}

    {% set existing_relation = load_cached_relation(this) %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set intermediate_relation = make_intermediate_relation(target_relation) %}
    {% set backup_type = 'table' if existing_relation is none else existing_relation.type %}
    {% set backup_relation = make_backup_relation(target_relation, backup_type) %}

    {{ drop_relation_if_exists(load_cached_relation(intermediate_relation)) }}
    {{ drop_relation_if_exists(load_cached_relation(backup_relation)) }}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% set tables = [] %}
    {% set grown = grow_guarded_components(tables, compiled_code) %}
    {% set labels_sql %}
        select
            node_key as {{ config.get('node_column', 'node_key') }},
            label as {{ config.get('cluster_column', 'cluster_key') }}
        from {{ grown.labels }}
    {% endset %}
    {% call statement('main') %}
        {{ get_create_table_as_sql(False, intermediate_relation, labels_sql) }}
    {% endcall %}
    {% do drop_scratch_tables(tables) %}
    {% do log(this.identifier ~ ': ' ~ grown.steps ~ ' steps, ' ~ grown.refusals ~ ' refused') %}

    {% if existing_relation is not none %}
        {{ adapter.rename_relation(existing_relation, backup_relation) }}
    {% endif %}
    {{ adapter.rename_relation(intermediate_relation, target_relation) }}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ drop_relation_if_exists(backup_relation) }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}

{% endmaterialization %}
