{% macro url_parameter(url_expr, name) -%}
    {%- set pattern = '[?&]' ~ modules.re.sub('([^a-zA-Z0-9_])', '[\\1]', name) ~ '=([^&#]*)' -%}
    {{ decode_percent(regexp_extract(url_expr, pattern, 1)) }}
{%- endmacro %}
