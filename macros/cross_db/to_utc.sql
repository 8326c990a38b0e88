{% macro to_utc(timestamp_expr, zone) %}
    {{- return(adapter.dispatch('to_utc', 'cdp')(timestamp_expr, zone)) -}}
{% endmacro %}

{% macro default__to_utc(timestamp_expr, zone) -%}
    timezone('UTC', timezone({{ zone }}, {{ timestamp_expr }}))
{%- endmacro %}

{% macro spark__to_utc(timestamp_expr, zone) -%}
    to_utc_timestamp({{ timestamp_expr }}, {{ zone }})
{%- endmacro %}

{% macro snowflake__to_utc(timestamp_expr, zone) -%}
    convert_timezone({{ zone }}, 'UTC', {{ timestamp_expr }})
{%- endmacro %}

{% macro bigquery__to_utc(timestamp_expr, zone) -%}
    timestamp(datetime({{ timestamp_expr }}), {{ zone }})
{%- endmacro %}
