{# What the engine has to have before the models run. #}
{% macro prepare_engine() %}
    {% if execute and flags.WHICH in ['run', 'build', 'test', 'seed', 'run-operation'] %}
        {% do adapter.dispatch('prepare_engine', 'cdp')() %}
    {% endif %}
    {{ return('') }}
{% endmacro %}

{% macro default__prepare_engine() %}{% endmacro %}

{# levenshtein is in fuzzystrmatch, which comes with the server (in Debian's postgresql-15, in
   Fedora's postgresql-contrib) and is trusted: who may create schemas in the database may create it. #}
{% macro postgres__prepare_engine() %}
    {% set extension = "select 1 from {} where {} = 'fuzzystrmatch'" %}
    {% if not var('identity_fuzzy') or run_query(extension.format('pg_extension', 'extname')).rows %}
        {{ return('') }}
    {% endif %}
    {% if not run_query(extension.format('pg_available_extensions', 'name')).rows %}
        {% do exceptions.raise_compiler_error(
            'The var identity_fuzzy needs the extension fuzzystrmatch, which this PostgreSQL server '
            ~ 'does not have. It is in the package postgresql-contrib; or set identity_fuzzy to false.'
        ) %}
    {% endif %}
    {% do run_statement('create extension if not exists fuzzystrmatch') %}
    {# dbt rolls back what a hook leaves open. #}
    {% do adapter.commit() %}
{% endmacro %}
