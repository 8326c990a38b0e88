{% macro null_if_epoch(timestamp_expr) -%}
    nullif({{ timestamp_expr }}, cast('1970-01-01 00:00:00' as {{ dbt.type_timestamp() }}))
{%- endmacro %}
