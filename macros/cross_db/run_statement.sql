{# dbt's run_query would read a result where there is none, which takes it longer than many of
   these statements take the engine. Like that, it opens no transaction. #}
{% macro run_statement(sql) %}
    {% call statement('run_statement', auto_begin=false) %}
        {{ sql }}
    {% endcall %}
{% endmacro %}
