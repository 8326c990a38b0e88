{% macro record_key(source, id_expr, source_is_expression=false) -%}
    {%- set id_text = 'cast(' ~ id_expr ~ ' as ' ~ dbt.type_string() ~ ')' -%}
    {%- set native_id = 'nullif(' ~ trim_spaces(id_text) ~ ", '')" -%}
    {%- if source_is_expression -%}
        replace(replace({{ source }}, '%', '%25'), ':', '%3A') || ':' || {{ native_id }}
    {%- else -%}
        {%- set prefix = (source | replace('%', '%25') | replace(':', '%3A')) ~ ':' -%}
        {{ text_literal(prefix) }} || {{ native_id }}
    {%- endif -%}
{%- endmacro %}
