{% macro regexp_extract(expr, pattern, group=0) %}
    {{- return(adapter.dispatch('regexp_extract', 'cdp')(expr, pattern, group)) -}}
{% endmacro %}

{% macro default__regexp_extract(expr, pattern, group=0) -%}
    nullif(regexp_extract({{ expr }}, {{ text_literal(pattern) }}, {{ group }}), '')
{%- endmacro %}

{# The whole pattern becomes group 1, so the wanted group moves by one. #}
{% macro postgres__regexp_extract(expr, pattern, group=0) -%}
    nullif((regexp_match({{ expr }}, {{ text_literal('(' ~ pattern ~ ')') }}))[{{ group + 1 }}], '')
{%- endmacro %}

{% macro snowflake__regexp_extract(expr, pattern, group=0) -%}
    nullif(
        regexp_substr(
            {{ expr }}, {{ text_literal('(' ~ pattern ~ ')') }}, 1, 1, 'e', {{ group + 1 }}
        ),
        ''
    )
{%- endmacro %}

{# BigQuery returns the only group of a pattern, so the others must be non-capturing. #}
{% macro bigquery__regexp_extract(expr, pattern, group=0) -%}
    {%- if group == 0 -%}
    nullif(regexp_substr({{ expr }}, {{ text_literal(pattern) }}), '')
    {%- else -%}
    nullif(
        regexp_replace(
            regexp_substr({{ expr }}, {{ text_literal(pattern) }}),
            {{ text_literal(pattern) }},
            {{ text_literal('\\' ~ group) }}
        ),
        ''
    )
    {%- endif -%}
{%- endmacro %}
