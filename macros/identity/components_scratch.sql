{% macro components_count(table) %}
    {% do return(run_query(components_counts_sql([table])).rows[0][0] | int) %}
{% endmacro %}

{% macro components_counts_sql(tables) %}
    {% set columns = [] %}
    {% for table in tables %}
        {% do columns.append('(select count(*) from ' ~ table ~ ') as count_' ~ loop.index) %}
    {% endfor %}
    {% do return('select ' ~ columns | join(', ')) %}
{% endmacro %}

{# How many edges join two nodes, in one row. #}
{% macro components_linking_sql(edges) %}
    {% do return(components_counts_sql([edges ~ ' where left_id != right_id'])) %}
{% endmacro %}

{# What scratch tables of this node and this run are called. #}
{% macro components_tables(names) %}
    {% set prefix = 'cc_' ~ local_md5(invocation_id ~ model.unique_id)[:12] ~ '_' %}
    {% set tables = [] %}
    {% for name in names %}
        {% do tables.append(scratch_table(prefix ~ name)) %}
    {% endfor %}
    {% do return(tables) %}
{% endmacro %}

{# Scratch tables, listed so that they can be dropped. Returns the numbers in the row of `asked`, which
   costs no statement of its own where the engine takes several in one. #}
{% macro components_make(tables, selects, asked=none) %}
    {% set rows = create_scratch_tables(selects, asked) %}
    {% do tables.extend(selects) %}
    {% do return(rows[0].values() | map('int') | list if asked else []) %}
{% endmacro %}

{% macro components_scratch(tables, name, sql) %}
    {% set table = components_tables([name])[0] %}
    {% do components_make(tables, {table: sql}) %}
    {% do return(table) %}
{% endmacro %}

{% macro components_drop(tables, dropped) %}
    {% for table in dropped %}
        {% do tables.remove(table) %}
    {% endfor %}
    {% do drop_scratch_tables(dropped) %}
{% endmacro %}
