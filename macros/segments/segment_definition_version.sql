{% macro segment_definition_version(segment) -%}
    {%- if execute -%}
        {%- set node = graph.nodes['model.cdp.' ~ segment] -%}
        {{- local_md5(node.raw_code | replace('\r\n', '\n'))[:12] -}}
    {%- endif -%}
{%- endmacro %}
