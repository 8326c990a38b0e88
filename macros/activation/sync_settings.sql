{# One truth for what a sync is: the exposure beside its model. Null while dbt parses,
   because the graph is not there yet. #}
{% macro sync_settings(sync_name) %}
    {% if not execute %}{{ return(none) }}{% endif %}
    {% set exposures = graph.exposures.values() | selectattr('name', 'equalto', sync_name) | list %}
    {% if not exposures %}
        {% do exceptions.raise_compiler_error('The sync ' ~ sync_name ~ ' has no exposure.') %}
    {% endif %}
    {% set sync = exposures[0].config.meta.get('sync') %}
    {% if sync is not mapping or not sync %}
        {% do exceptions.raise_compiler_error(
            'The exposure ' ~ sync_name ~ ': meta.sync must be a mapping of settings.'
        ) %}
    {% endif %}
    {% for setting in [
        'destination', 'object', 'mode', 'key', 'purpose', 'channel', 'identity_tier'
    ] %}
        {% if not sync.get(setting) %}
            {% do exceptions.raise_compiler_error(
                'The exposure ' ~ sync_name ~ ' must state meta.sync.' ~ setting ~ '.'
            ) %}
        {% endif %}
    {% endfor %}
    {% set models = graph.nodes.values()
        | selectattr('resource_type', 'equalto', 'model')
        | selectattr('name', 'equalto', sync_name) | list %}
    {# The contract lists every column, so none can be sent and not watched. #}
    {{ return(dict(sync, columns=models[0].columns.keys() | list)) }}
{% endmacro %}
