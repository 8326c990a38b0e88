{% macro content_hash(columns) -%}
    {% set parts = [] %}
    {% for column in columns %}
        {% do parts.append("coalesce(cast(" ~ column ~ " as " ~ dbt.type_string() ~ "), '')") %}
    {% endfor %}
    {{ md5_hex(parts | join(" || '|' || ")) }}
{%- endmacro %}
