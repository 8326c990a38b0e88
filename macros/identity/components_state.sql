{# What an incremental run starts from, beside the table itself: `<model>__edges`, the graph as
   ids, and `<model>__state`, one row that says what the two tables must hold. That row is dropped
   before they are touched and written again after, so where an engine has no transactions a run
   killed half-way leaves no state, never a wrong one. #}
{% macro components_state() %}
    {% set state = {} %}
    {% for part in ['edges', 'state'] %}
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
        'seed', 'hash_sample', 'row_count', 'root_checksum', 'edge_count', 'left_checksum',
        'right_checksum',
    ]) %}
{% endmacro %}

{# Checksums by exclusive or: those of the rows before and of a change give those after, for what
   comes and what goes are the same to them. The sample tells when an upgrade of the engine changed
   its hash. #}
{% macro components_state_sql(nodes, edges, seed, row_count='count(*)', edge_count='count(*)') %}
    select
        cast({{ seed }} as {{ dbt.type_bigint() }}) as seed,
        {{ key_id("'connected components'", seed) }} as hash_sample,
        nodes.row_count,
        nodes.root_checksum,
        edges.edge_count,
        edges.left_checksum,
        edges.right_checksum
    from (
        select
            cast({{ row_count }} as {{ dbt.type_bigint() }}) as row_count,
            coalesce({{ xor_agg('root_id') }}, 0) as root_checksum
        from {{ nodes }}
    ) as nodes
    cross join (
        select
            cast({{ edge_count }} as {{ dbt.type_bigint() }}) as edge_count,
            coalesce({{ xor_agg('left_id') }}, 0) as left_checksum,
            coalesce({{ xor_agg('right_id') }}, 0) as right_checksum
        from {{ edges }}
    ) as edges
{% endmacro %}

{# The row after an incremental run, from the row before and the changes: should a table not
   hold what was meant to be written, the next run sees it. #}
{% macro components_next_state_sql(former, update) %}
    {% set bigint = dbt.type_bigint() %}
    {% set nodes %}
        (
            select
                cast({{ former.root_checksum }} as {{ bigint }}) as root_id,
                cast({{ former.row_count }} as {{ bigint }}) as row_count
            union all
            select root_id, 1 from {{ update.moved }}
            union all
            select root_id, -1 from {{ update.doomed }}
        ) as nodes
    {% endset %}
    {% set edges %}
        (
            select
                cast({{ former.left_checksum }} as {{ bigint }}) as left_id,
                cast({{ former.right_checksum }} as {{ bigint }}) as right_id,
                cast({{ former.edge_count }} as {{ bigint }}) as edge_count
            union all
            select left_id, right_id, 1 from {{ update.edges_added }}
            union all
            select left_id, right_id, -1 from {{ update.edges_removed }}
        ) as edges
    {% endset %}
    {{ components_state_sql(nodes, edges, former.seed, 'sum(row_count)', 'sum(edge_count)') }}
{% endmacro %}

{# The row of the state, or why it cannot be used: a dict of `row` and `flaw`. #}
{% macro components_stored_state(state, published, columns) %}
    {% if should_full_refresh() %}
        {% do return({'flaw': 'full refresh'}) %}
    {% elif published is none or not published.is_table %}
        {% do return({'flaw': 'first run'}) %}
    {% endif %}
    {% for relation in state.values() %}
        {% if load_cached_relation(relation) is none %}
            {% do return({'flaw': 'no state'}) %}
        {% endif %}
    {% endfor %}
    {# The row, and beside it, without a value, the columns of the two tables. A statement, as that
       begins the transaction, which run_query does not. #}
    {% call statement('state', fetch_result=true) %}
        select state.*, edges.*, nodes.*
        from {{ state.state }} as state
        left join {{ state.edges }} as edges on 1 = 0
        left join {{ published }} as nodes on 1 = 0
    {% endcall %}
    {% set stored = load_result('state').table %}
    {% set names = components_state_columns() %}
    {% set expected = (names + ['left_id', 'right_id'] + columns) | map('lower') | list %}
    {% if stored.column_names | map('lower') | list != expected or stored.rows | length != 1 %}
        {% do return({'flaw': 'state of another shape'}) %}
    {% endif %}
    {% set row = dict(zip(names, stored.rows[0].values())) %}
    {% set found = run_query(components_state_sql(published, state.edges, row.seed)).rows[0] %}
    {% do return({
        'flaw': '' if dict(zip(names, found.values())) == row else 'state does not match',
        'row': row,
    }) %}
{% endmacro %}
