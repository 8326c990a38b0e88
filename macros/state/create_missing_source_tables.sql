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
            {% set existing = adapter.list_relations(source.database, source.schema) %}
            {% do schemas.update({source.schema: existing | map(attribute='identifier') | list}) %}
        {% endif %}
        {% if source.identifier not in schemas[source.schema] %}
            {% set columns = [] %}
            {% for column in source.columns.values() %}
                {% do columns.append(
                    adapter.quote(column.name) ~ ' ' ~ api.Column.translate_type(column.data_type)
                ) %}
            {% endfor %}
            {% call statement('create_' ~ source.name) %}
                create table {{ source.relation_name }} ({{ columns | join(', ') }})
            {% endcall %}
        {% endif %}
    {% endfor %}
    {{ return('') }}
{% endmacro %}
