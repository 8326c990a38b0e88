{# What an incremental run starts from, beside the table itself: `<model>__edges`, the graph as
   ids, `<model>__nodes`, its components as ids, and `<model>__state`, one row that says what
   the three tables held when they were written. That row is dropped before they are touched
   and written again after, so where an engine has no transactions a run killed half-way
   leaves no state, never a wrong one. #}
{% macro components_state() %}
    {% set state = {} %}
    {% for part in ['nodes', 'edges', 'state'] %}
        {% do state.update({part: api.Relation.create(
            database=this.database,
            schema=this.schema,
            identifier=this.identifier ~ '__' ~ part,
            type='table'
        )}) %}
    {% endfor %}
    {% do return(state) %}
{% endmacro %}

{% macro components_state_columns() %}
    {% do return([
        'seed', 'hash_sample', 'row_count', 'node_count', 'edge_count', 'edge_checksum'
    ]) %}
{% endmacro %}

{# The sample tells when an upgrade of the engine changed its hash. #}
{% macro components_state_sql(published, state, seed) %}
    {% set prime = 2147483647 %}
    select
        cast({{ seed }} as {{ dbt.type_bigint() }}) as seed,
        {{ key_id("'connected components'", seed) }} as hash_sample,
        published.row_count,
        nodes.node_count,
        edges.edge_count,
        edges.edge_checksum
    from (select count(*) as row_count from {{ published }}) as published
    cross join (select count(*) as node_count from {{ state.nodes }}) as nodes
    cross join (
        select
            count(*) as edge_count,
            cast(coalesce(sum(
                mod(mod(left_id, {{ prime }}) * 31 + mod(right_id, {{ prime }}), {{ prime }})
            ), 0) as {{ dbt.type_bigint() }}) as edge_checksum
        from {{ state.edges }}
    ) as edges
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
