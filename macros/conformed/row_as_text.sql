{% macro row_as_text(columns) -%}
    {% set parts = [] %}
    {% for column in columns %}
        {% set value = "replace(replace(" ~ column ~ ", '\\', '\\\\'), '\"', '\\\"')" %}
        {% do parts.append(
            "'\"" ~ column ~ "\": ' || coalesce('\"' || " ~ value ~ " || '\"', 'null')"
        ) %}
    {% endfor %}
    '{' || {{ parts | join(" || ', ' || ") }} || '}'
{%- endmacro %}
