{# name=length:value; with the names sorted and `-` for null. The lengths make the text
   unambiguous without escapes, and it reads the same in Python (orchestration/sync/plan.py). #}
{% macro row_hash(columns, salt) %}
    {%- set parts = ["'" ~ salt ~ ";'"] -%}
    {%- for column in columns | sort -%}
        {%- set value = 'cast(' ~ column ~ ' as ' ~ dbt.type_string() ~ ')' -%}
        {%- set length = 'cast(' ~ dbt.length(value) ~ ' as ' ~ dbt.type_string() ~ ')' -%}
        {%- do parts.append(
            "'" ~ column ~ "=' || coalesce(" ~ length ~ " || ':' || " ~ value ~ ", '-') || ';'"
        ) -%}
    {%- endfor -%}
    {{ dbt.hash(parts | join('\n            || ')) }}
{%- endmacro %}
