{# A portable pattern cannot say "all but": parameters to keep are marked with U+0001, then every
   unmarked one goes. #}
{% macro campaign_parameters(query) -%}
    {%- set names = [
        'utm_', 'gclid=', 'dclid=', 'wbraid=', 'gbraid=', 'msclkid=', 'fbclid=', 'ttclid=',
    ] -%}
    {%- set ns = namespace(marked=query) -%}
    {%- for name in names -%}
        {%- set ns.marked = 'replace(' ~ ns.marked ~ ", '&" ~ name ~ "', '&\u0001" ~ name ~ "')" -%}
    {%- endfor -%}
    {%- set kept = regexp_replace_all(ns.marked, '&(?:[^&\u0001][^&]*)?', '') -%}
    coalesce('?' || nullif(substring(replace({{ kept }}, '{{ "\u0001" }}', '&'), 2), ''), '')
{%- endmacro %}
