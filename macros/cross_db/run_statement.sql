{# dbt's run_query would read a result where there is none, which takes it longer than many of
   these statements take the engine. Like that, it opens no transaction. #}
{% macro run_statement(sql) %}
    {% call statement('run_statement', auto_begin=false) %}
        {{ sql }}
    {% endcall %}
{% endmacro %}

{# Several at once, for an engine that takes them so. Returns the rows of `asked`, a select that goes
   with them as the last. #}
{% macro run_statements(statements, asked=none) %}
    {% if asked %}
        {% do return(run_query((statements + [asked]) | join('\n;\n')).rows) %}
    {% elif statements %}
        {% do run_statement(statements | join('\n;\n')) %}
    {% endif %}
{% endmacro %}
