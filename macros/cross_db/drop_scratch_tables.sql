{# In one statement where the engine takes several: dbt spends as much on a statement as the
   drop of a small table. #}
{% macro drop_scratch_tables(tables) %}
    {% do adapter.dispatch('drop_scratch_tables', 'cdp')(tables) %}
{% endmacro %}

{% macro default__drop_scratch_tables(tables) %}
    {% for table in tables %}
        {% do run_statement('drop table if exists ' ~ table) %}
    {% endfor %}
{% endmacro %}

{% macro duckdb__drop_scratch_tables(tables) %}
    {% if tables %}
        {% do run_statement('drop table if exists ' ~ tables | join('; drop table if exists ')) %}
    {% endif %}
{% endmacro %}

{% macro postgres__drop_scratch_tables(tables) %}
    {% if tables %}
        {% do run_statement('drop table if exists ' ~ tables | join(', ')) %}
    {% endif %}
{% endmacro %}
