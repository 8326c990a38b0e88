{% macro epoch_seconds(timestamp_expr) %}
    {{- return(adapter.dispatch('epoch_seconds', 'cdp')(timestamp_expr)) -}}
{% endmacro %}

{% macro default__epoch_seconds(timestamp_expr) -%}
    cast(floor(extract(epoch from {{ timestamp_expr }})) as bigint)
{%- endmacro %}

{% macro spark__epoch_seconds(timestamp_expr) -%}
    unix_seconds({{ timestamp_expr }})
{%- endmacro %}

{% macro snowflake__epoch_seconds(timestamp_expr) -%}
    date_part(epoch_second, {{ timestamp_expr }})
{%- endmacro %}

{% macro bigquery__epoch_seconds(timestamp_expr) -%}
    unix_seconds(cast({{ timestamp_expr }} as timestamp))
{%- endmacro %}
