{# The sources' YAML is the DDL: what is documented and what is created cannot differ. #}
{% macro create_missing_source_tables() %}
    {% if not execute or flags.WHICH not in ['run', 'build', 'test', 'run-operation', 'seed'] %}
        {{ return('') }}
    {% endif %}
    {% set schemas = {} %}
    {% for source in graph.sources.values() if source.package_name == 'cdp' %}
        {% if source.schema not in schemas %}
            {% set relation = api.Relation.create(
                database=source.database, schema=source.schema, identifier=source.identifier
            ) %}
            {% do adapter.create_schema(relation) %}
            {% do schemas.update({source.schema: []}) %}
        {% endif %}
        {% if adapter.get_relation(source.database, source.schema, source.identifier) is none %}
            {% set columns = [] %}
            {% for column in source.columns.values() %}
                {% do columns.append(
                    adapter.quote(column.name) ~ ' ' ~ api.Column.translate_type(column.data_type)
                ) %}
            {% endfor %}
            {% call statement('create_' ~ source.name) %}
                create table {{ source.relation_name }} ({{ columns | join(', ') }})
            {% endcall %}
            {# dbt listed the tables before this hook; unit tests look them up in that list. #}
            {% do adapter.cache_added(api.Relation.create(
                database=source.database, schema=source.schema, identifier=source.identifier,
                type='table'
            )) %}
        {% elif source.schema == 'state' %}
            {# Raw tables get new columns when a file with them is landed. #}
            {% do add_missing_columns(source) %}
        {% endif %}
    {% endfor %}
    {# dbt rolls back what a hook leaves open. #}
    {% do adapter.commit() %}
    {{ return('') }}
{% endmacro %}

{# A table that an older version of the project made. #}
{% macro add_missing_columns(source) %}
    {% set relation = api.Relation.create(
        database=source.database, schema=source.schema, identifier=source.identifier, type='table'
    ) %}
    {% set present = adapter.get_columns_in_relation(relation) | map(attribute='name') | list %}
    {% for column in source.columns.values() if column.name not in present %}
        {% call statement('extend_' ~ source.name) %}
            alter table {{ source.relation_name }}
            add column {{ adapter.quote(column.name) }}
            {{ api.Column.translate_type(column.data_type) }}
        {% endcall %}
    {% endfor %}
{% endmacro %}
