{# dbt begins one with the first statement. On PostgreSQL it leaves that to its driver, which takes
   the transaction before for open still, as dbt ends it by a statement: every one after the first
   of a connection would be of single statements (dbt-postgres 1.11). #}
{% macro begin_transaction() %}
    {% do adapter.dispatch('begin_transaction', 'cdp')() %}
{% endmacro %}

{% macro default__begin_transaction() %}{% endmacro %}

{% macro postgres__begin_transaction() %}
    {% do run_statement('begin') %}
{% endmacro %}
