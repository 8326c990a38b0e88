{% macro drop_scratch_tables(tables) %}
    {% for table in tables %}
        {% do run_query('drop table if exists ' ~ table) %}
    {% endfor %}
{% endmacro %}
