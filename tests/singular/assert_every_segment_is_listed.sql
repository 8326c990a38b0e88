-- A segment's model that the var `segments` does not name would have no members.
-- depends_on: {{ ref('segment_members') }}
{% set listed = var('segments') %}
{% set missing = [] %}
{% if execute %}
    {% for node in graph.get('nodes', {}).values() if node.resource_type == 'model' %}
        {% if 'segment' in node.config.tags and node.name not in listed %}
            {% do missing.append(node.name) %}
        {% endif %}
    {% endfor %}
{% endif %}

{% for name in missing %}
select '{{ name }}' as segment_name
{{ 'union all' if not loop.last }}
{% else %}
    select cast(null as {{ dbt.type_string() }}) as segment_name
    where 1 = 0
{% endfor %}
