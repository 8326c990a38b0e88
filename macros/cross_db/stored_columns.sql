{# Names of the columns of the tables of some sources, by `schema.table`. Where one question can be
   asked about all of them, it is: a question per table took half a second of every dbt run. #}
{% macro stored_columns(sources) %}
    {{ return(adapter.dispatch('stored_columns', 'cdp')(sources)) }}
{% endmacro %}

{% macro default__stored_columns(sources) %}
    {% set stored = {} %}
    {% for source in sources %}
        {% set relation = adapter.get_relation(source.database, source.schema, source.identifier) %}
        {% if relation is not none %}
            {% set columns = adapter.get_columns_in_relation(relation) %}
            {% do stored.update({
                source.schema ~ '.' ~ source.identifier: columns | map(attribute='name') | list
            }) %}
        {% endif %}
    {% endfor %}
    {{ return(stored) }}
{% endmacro %}

{% macro duckdb__stored_columns(sources) %}
    {{ return(listed_columns(sources)) }}
{% endmacro %}

{% macro postgres__stored_columns(sources) %}
    {{ return(listed_columns(sources)) }}
{% endmacro %}

{% macro listed_columns(sources) %}
    {% set stored = {} %}
    {% set sql %}
        select table_schema, table_name, column_name
        from information_schema.columns
        where
            table_catalog = '{{ target.database }}'
            and table_schema in ('{{ sources | map(attribute="schema") | unique | join("', '") }}')
        order by table_schema, table_name, ordinal_position
    {% endset %}
    {% for row in run_query(sql).rows %}
        {% do stored.setdefault(row[0] ~ '.' ~ row[1], []).append(row[2]) %}
    {% endfor %}
    {{ return(stored) }}
{% endmacro %}
