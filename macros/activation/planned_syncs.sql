{# vars.planned_syncs lists plans; the sync of a plan is the model with meta.sync it reads. #}
{% macro planned_syncs() %}
    {% if not execute %}{{ return([]) }}{% endif %}
    {% set declared = [] %}
    {% for exposure in graph.exposures.values() if 'sync' in exposure.config.meta %}
        {% do declared.append(exposure.name) %}
    {% endfor %}
    {% set names = [] %}
    {% for plan in var('planned_syncs') %}
        {% set node = graph.nodes['model.' ~ project_name ~ '.' ~ plan] %}
        {% for parent in node.depends_on.nodes if parent.split('.')[-1] in declared %}
            {% do names.append(parent.split('.')[-1]) %}
        {% endfor %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}
