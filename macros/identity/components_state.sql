{# What an incremental run starts from, beside the table itself: `<model>__edges`, the graph as
   ids, `<model>__nodes`, its components as ids, `<model>__labels`, their labels, and
   `<model>__state`, one row that says what the four tables must hold. That row is dropped
   before they are touched and written again after, so where an engine has no transactions a
   run killed half-way leaves no state, never a wrong one. #}
{% macro components_state() %}
    {% set state = {} %}
    {% for part in components_state_parts() + ['state'] %}
        {% do state.update({part: api.Relation.create(
            database=this.database,
            schema=this.schema,
            identifier=this.identifier ~ '__' ~ part,
            type='table'
        )}) %}
    {% endfor %}
    {% do return(state) %}
{% endmacro %}

{% macro components_state_parts() %}
    {% do return(['nodes', 'edges', 'labels']) %}
{% endmacro %}

{% macro components_state_columns() %}
    {% do return([
        'seed', 'hash_sample', 'row_count', 'node_count', 'label_count', 'edge_count',
        'edge_checksum',
    ]) %}
{% endmacro %}

{# Sums, so that those of a change can be added and taken away; of numbers small enough for ten
   billion edges. #}
{% macro components_edge_sums_sql(edges) %}
    select
        count(*) as edge_count,
        cast(coalesce(
            31 * sum(mod(left_id, 16777213)) + sum(mod(right_id, 16777213)), 0
        ) as {{ dbt.type_bigint() }}) as edge_checksum
    from {{ edges }}
{% endmacro %}

{# The sample tells when an upgrade of the engine changed its hash. #}
{% macro components_state_sql(published, state, seed) %}
    select
        cast({{ seed }} as {{ dbt.type_bigint() }}) as seed,
        {{ key_id("'connected components'", seed) }} as hash_sample,
        published.row_count,
        nodes.node_count,
        labels.label_count,
        edges.edge_count,
        edges.edge_checksum
    from (select count(*) as row_count from {{ published }}) as published
    cross join (select count(*) as node_count from {{ state.nodes }}) as nodes
    cross join (select count(*) as label_count from {{ state.labels }}) as labels
    cross join ({{ components_edge_sums_sql(state.edges) }}) as edges
{% endmacro %}

{# The row after an incremental run, from the row before and the changes: should a table not
   hold what was meant to be written, the next run sees it. #}
{% macro components_next_state_sql(former, update) %}
    select
        cast({{ former.seed }} as {{ dbt.type_bigint() }}) as seed,
        cast({{ former.hash_sample }} as {{ dbt.type_bigint() }}) as hash_sample,
        {{ former.row_count }} + came.row_count - went.row_count as row_count,
        {{ former.node_count }} + came.row_count - went.row_count as node_count,
        {{ former.label_count }} + named.label_count - lapsed.label_count as label_count,
        {{ former.edge_count }} + added.edge_count - removed.edge_count as edge_count,
        {{ former.edge_checksum }} + added.edge_checksum - removed.edge_checksum as edge_checksum
    from (select count(*) as row_count from {{ update.moved }}) as came
    cross join (select count(*) as row_count from {{ update.doomed }}) as went
    cross join (select count(*) as label_count from {{ update.named }}) as named
    cross join (select count(*) as label_count from {{ update.lapsed }}) as lapsed
    cross join ({{ components_edge_sums_sql(update.edges_added) }}) as added
    cross join ({{ components_edge_sums_sql(update.edges_removed) }}) as removed
{% endmacro %}

{# Why the state cannot be used, or an empty text. #}
{% macro components_state_flaw(state, published, columns) %}
    {% if should_full_refresh() %}
        {% do return('full refresh') %}
    {% elif published is none or not published.is_table %}
        {% do return('first run') %}
    {% endif %}
    {% set expected = [
        (published, columns),
        (state.nodes, ['node_id', 'root_id']),
        (state.edges, ['left_id', 'right_id']),
        (state.labels, ['root_id', 'cluster_key']),
        (state.state, components_state_columns()),
    ] %}
    {% for relation, names in expected %}
        {% if load_cached_relation(relation) is none %}
            {% do return('no state') %}
        {% endif %}
        {% set found = adapter.get_columns_in_relation(relation) | map(attribute='name') %}
        {% if found | map('lower') | list != names | map('lower') | list %}
            {% do return('state of another shape') %}
        {% endif %}
    {% endfor %}
    {% set seeds = run_query('select seed from ' ~ state.state).rows %}
    {% if seeds | length != 1 %}
        {% do return('state of another shape') %}
    {% endif %}
    {% set matches %}
        ({{ components_state_sql(published, state, seeds[0][0]) }}) as found
        inner join {{ state.state }} as stored on
        {%- for column in components_state_columns() %}
            found.{{ column }} = stored.{{ column }}{{ ' and ' if not loop.last }}
        {%- endfor %}
    {% endset %}
    {% do return('' if components_count(matches) == 1 else 'state does not match') %}
{% endmacro %}
