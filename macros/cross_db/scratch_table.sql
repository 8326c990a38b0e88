{# What a scratch table is read by. #}
{% macro scratch_table(name) %}
    {% do return(adapter.dispatch('scratch_table', 'cdp')(name)) %}
{% endmacro %}

{% macro default__scratch_table(name) %}
    {% do return(api.Relation.create(
        database=this.database, schema=this.schema, identifier=name, type='table'
    ) | string) %}
{% endmacro %}

{% macro spark__scratch_table(name) %}
    {% do return(
        api.Relation.create(schema=this.schema, identifier=name, type='table') | string
    ) %}
{% endmacro %}

{% macro duckdb__scratch_table(name) %}
    {% do return(name) %}
{% endmacro %}

{% macro postgres__scratch_table(name) %}
    {% do return(name) %}
{% endmacro %}
