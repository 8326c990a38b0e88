{# A table of groups grown by average linkage: the two groups that are each other's best match are
   joined while all that the one states speaks, on the mean, for all that the other states, and no
   guard objects. The model's select are pairs of forms (left_form_id, right_form_id) that may be
   one person; the table has a row per proven person among them, group_id, and label, the
   smallest group_id of those it was joined with. #}
{% materialization average_linkage, default %}

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
    {% set grown = grow_linked_groups(tables, compiled_code, config.get('forms')) %}
    {% call statement('main') %}
        {{ get_create_table_as_sql(
            False, intermediate_relation, 'select group_id, label from ' ~ grown.labels
        ) }}
    {% endcall %}
    {% do drop_scratch_tables(tables) %}
    {% do log(this.identifier ~ ': ' ~ grown.rounds ~ ' rounds') %}

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
