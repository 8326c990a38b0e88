{% macro punycode_prefix(label) -%}
    {%- set plain = regexp_replace_all(label, '[^ -~]+', '') -%}
    'xn--' || coalesce(nullif({{ plain }}, '') || '-', '')
{%- endmacro %}
