{# Creates a table that lives for the statements of one node, and returns its name.
   Default: a real table in the node's schema, because Spark's temporary "tables" are
   views that would be computed again by every statement that reads them. #}
{% macro create_scratch_table(name, select_sql) %}
    {% do return(adapter.dispatch('create_scratch_table', 'cdp')(name, select_sql)) %}
{% endmacro %}

{% macro default__create_scratch_table(name, select_sql) %}
    {% set relation = api.Relation.create(
        database=this.database, schema=this.schema, identifier=name, type='table'
    ) %}
    {% do run_statement('create table ' ~ relation ~ ' as ' ~ select_sql) %}
    {% do return(relation | string) %}
{% endmacro %}

{% macro spark__create_scratch_table(name, select_sql) %}
    {% set relation = api.Relation.create(schema=this.schema, identifier=name, type='table') %}
    {% do run_statement('create table ' ~ relation ~ ' using parquet as ' ~ select_sql) %}
    {% do return(relation | string) %}
{% endmacro %}

{% macro duckdb__create_scratch_table(name, select_sql) %}
    {% do run_statement('create temporary table ' ~ name ~ ' as ' ~ select_sql) %}
    {% do return(name) %}
{% endmacro %}

{# Autovacuum never sees a temporary table; without statistics the planner takes nested
   loops for joins of millions of rows. #}
{% macro postgres__create_scratch_table(name, select_sql) %}
    {% do run_statement('create temporary table ' ~ name ~ ' as ' ~ select_sql) %}
    {% do run_statement('analyze ' ~ name) %}
    {% do return(name) %}
{% endmacro %}
