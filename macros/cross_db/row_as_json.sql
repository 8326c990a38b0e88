{# A row by its columns and not by its alias alone, which a column of that name would hide. #}
{% macro row_as_json(alias) -%}
    {{ return(adapter.dispatch('row_as_json', 'cdp')(alias)) }}
{%- endmacro %}

{% macro default__row_as_json(alias) -%}
    to_json(struct({{ alias }}.*))
{%- endmacro %}

{% macro duckdb__row_as_json(alias) -%}
    cast(to_json(struct_pack(*columns({{ alias }}.*))) as varchar)
{%- endmacro %}

{% macro postgres__row_as_json(alias) -%}
    cast(row_to_json({{ alias }}.*) as text)
{%- endmacro %}

{% macro bigquery__row_as_json(alias) -%}
    to_json_string({{ alias }})
{%- endmacro %}

{% macro snowflake__row_as_json(alias) -%}
    to_json(object_construct_keep_null({{ alias }}.*))
{%- endmacro %}
