{% macro record_key(source, id_expr, source_is_expression=false) -%}
    {%- set text_type = dbt.type_string() -%}
    {%- set native_id = 'nullif(' ~ trim_spaces('cast(' ~ id_expr ~ ' as ' ~ text_type ~ ')') ~ ", '')" -%}
    {%- if source_is_expression -%}
        replace(replace({{ source }}, '%', '%25'), ':', '%3A') || ':' || {{ native_id }}
    {%- else -%}
        {{ text_literal((source | replace('%', '%25') | replace(':', '%3A')) ~ ':') }} || {{ native_id }}
    {%- endif -%}
{%- endmacro %}
