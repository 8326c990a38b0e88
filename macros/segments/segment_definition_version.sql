{# A unit test has no graph. #}
{% macro segment_definition_version(segment) -%}
    {%- set node = graph.get('nodes', {}).get('model.cdp.' ~ segment, {}) -%}
    {{- local_md5(node.get('raw_code', '') | replace('\r\n', '\n'))[:12] -}}
{%- endmacro %}
