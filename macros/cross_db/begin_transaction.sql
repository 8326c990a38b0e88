{# dbt begins one with the first statement. On PostgreSQL it leaves that to its driver, which takes
   the transaction before for open still, as dbt ends it by a statement: in a hook or an operation
   every statement after the first commit would stand alone (dbt-postgres 1.11). #}
{% macro begin_transaction(locked=none) %}
    {% do adapter.dispatch('begin_transaction', 'cdp')(locked) %}
{% endmacro %}

{% macro default__begin_transaction(locked) %}{% endmacro %}

{# What is seen is of one moment, which comes after the lock. #}
{% macro postgres__begin_transaction(locked) %}
    {% if locked is none %}
        {% do run_statement('begin') %}
    {% else %}
        {% do run_statement('begin isolation level repeatable read') %}
        {% do run_statement('lock table ' ~ locked ~ ' in share row exclusive mode') %}
    {% endif %}
{% endmacro %}
