{# Creates tables that live for the statements of one node; a later one may read an earlier one.
   Where the engine takes several in one statement they are one: dbt spends 2 to 3 ms on each, as
   much as on the making of a small table. A semicolon has a line of its own: a select may end in a
   comment. Returns the rows of `asked`, a select that goes with them.
   Default: real tables, because Spark's temporary "tables" are views that would be computed again
   by every statement that reads them. #}
{% macro create_scratch_tables(selects, asked=none) %}
    {% do return(adapter.dispatch('create_scratch_tables', 'cdp')(selects, asked)) %}
{% endmacro %}

{% macro default__create_scratch_tables(selects, asked) %}
    {% for table, select_sql in selects.items() %}
        {% do run_statement('create table ' ~ table ~ ' as ' ~ select_sql) %}
    {% endfor %}
    {% do return(run_statements([], asked)) %}
{% endmacro %}

{% macro spark__create_scratch_tables(selects, asked) %}
    {% for table, select_sql in selects.items() %}
        {% do run_statement('create table ' ~ table ~ ' using parquet as ' ~ select_sql) %}
    {% endfor %}
    {% do return(run_statements([], asked)) %}
{% endmacro %}

{% macro duckdb__create_scratch_tables(selects, asked) %}
    {% set statements = [] %}
    {% for table, select_sql in selects.items() %}
        {% do statements.append('create temporary table ' ~ table ~ ' as ' ~ select_sql) %}
    {% endfor %}
    {% do return(run_statements(statements, asked)) %}
{% endmacro %}

{# Autovacuum never sees a temporary table, and of what a statement makes on its way nothing is known
   at all: without statistics the planner takes nested loops for joins of thousands of rows, a
   minute where a hash join takes a second, and compiles for three seconds what runs for one. That
   stays off for the rest of the transaction, as a node that has asked for it expects. #}
{% macro postgres__create_scratch_tables(selects, asked) %}
    {% set statements = ['set local enable_nestloop = off', 'set local jit = off'] %}
    {% for table, select_sql in selects.items() %}
        {% do statements.append('create temporary table ' ~ table ~ ' as ' ~ select_sql) %}
        {% do statements.append('analyze ' ~ table) %}
    {% endfor %}
    {% do statements.append('set local enable_nestloop to default') %}
    {% do return(run_statements(statements, asked)) %}
{% endmacro %}
