{# The sources' YAML is the DDL: what is documented and what is created cannot differ. #}
{% macro create_missing_source_tables() %}
    {% if not execute or flags.WHICH not in ['run', 'build', 'test', 'run-operation', 'seed'] %}
        {{ return('') }}
    {% endif %}
    {% set sources = graph.sources.values() | selectattr('package_name', 'equalto', 'cdp') | list %}
    {% set stored = stored_columns(sources) %}
    {% for source in sources %}
        {% set present = stored.get(source.schema ~ '.' ~ source.identifier) %}
        {% if present is none %}
            {% do create_source_table(source) %}
        {% elif source.schema == 'state' %}
            {# Made by an older version. Raw tables get new columns when a file with them is landed. #}
            {% do add_missing_columns(source, present) %}
        {% endif %}
    {% endfor %}
    {{ return('') }}
{% endmacro %}

{% macro create_source_table(source) %}
    {% set relation = api.Relation.create(
        database=source.database, schema=source.schema, identifier=source.identifier, type='table'
    ) %}
    {% do adapter.create_schema(relation) %}
    {% set columns = [] %}
    {% for column in source.columns.values() %}
        {% do columns.append(
            adapter.quote(column.name) ~ ' ' ~ api.Column.translate_type(column.data_type)
        ) %}
    {% endfor %}
    {% call statement('create_' ~ source.name) %}
        create table {{ source.relation_name }} ({{ columns | join(', ') }})
    {% endcall %}
    {# dbt may have listed the tables before this hook; unit tests look them up in that list. #}
    {% do adapter.cache_added(relation) %}
    {# dbt rolls back what a hook leaves open. #}
    {% do adapter.commit() %}
{% endmacro %}

{% macro add_missing_columns(source, present) %}
    {% for column in source.columns.values() if column.name not in present %}
        {% call statement('extend_' ~ source.name) %}
            alter table {{ source.relation_name }}
            add column {{ adapter.quote(column.name) }}
            {{ api.Column.translate_type(column.data_type) }}
        {% endcall %}
        {% do adapter.commit() %}
    {% endfor %}
{% endmacro %}
