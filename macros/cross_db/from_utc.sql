{% macro from_utc(timestamp_expr, zone) %}
    {{- return(adapter.dispatch('from_utc', 'cdp')(timestamp_expr, zone)) -}}
{% endmacro %}

{% macro default__from_utc(timestamp_expr, zone) -%}
    timezone({{ zone }}, timezone('UTC', {{ timestamp_expr }}))
{%- endmacro %}

{% macro spark__from_utc(timestamp_expr, zone) -%}
    from_utc_timestamp({{ timestamp_expr }}, {{ zone }})
{%- endmacro %}

{% macro snowflake__from_utc(timestamp_expr, zone) -%}
    convert_timezone('UTC', {{ zone }}, {{ timestamp_expr }})
{%- endmacro %}

{% macro bigquery__from_utc(timestamp_expr, zone) -%}
    datetime(timestamp({{ timestamp_expr }}), {{ zone }})
{%- endmacro %}
