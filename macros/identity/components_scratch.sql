{% macro components_count(table) %}
    {% do return(components_counts([table])[0]) %}
{% endmacro %}

{% macro components_counts(tables) %}
    {% set columns = [] %}
    {% for table in tables %}
        {% do columns.append('(select count(*) from ' ~ table ~ ') as count_' ~ loop.index) %}
    {% endfor %}
    {% set row = run_query('select ' ~ columns | join(', ')).rows[0] %}
    {% do return(row.values() | map('int') | list) %}
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

{# Scratch tables, listed so that they can be dropped. #}
{% macro components_make(tables, selects) %}
    {% do create_scratch_tables(selects) %}
    {% do tables.extend(selects) %}
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
