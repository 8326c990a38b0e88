{% macro json_text(expr, key) %}
    {{- return(adapter.dispatch('json_text', 'cdp')(expr, key)) -}}
{% endmacro %}

{% macro default__json_text(expr, key) -%}
    get_json_object({{ expr }}, {{ text_literal('$.' ~ key) }})
{%- endmacro %}

{% macro duckdb__json_text(expr, key) -%}
    case
        when {{ is_valid_json(expr) }}
            then json_extract_string({{ expr }}, {{ text_literal('$."' ~ key ~ '"') }})
    end
{%- endmacro %}

{% macro postgres__json_text(expr, key) -%}
    case
        when {{ regexp_matches(expr, '^[ \t\r\n]*\\{') }} and {{ is_valid_json(expr) }}
            then (
                select field.value
                from json_each_text(cast({{ expr }} as json))
                    with ordinality as field (key, value, position)
                where field.key = {{ text_literal(key) }}
                order by field.position
                limit 1
            )
    end
{%- endmacro %}

{% macro snowflake__json_text(expr, key) -%}
    cast(get(try_parse_json({{ expr }}), {{ text_literal(key) }}) as varchar)
{%- endmacro %}

{% macro bigquery__json_text(expr, key) -%}
    json_value({{ expr }}, {{ text_literal('$."' ~ key ~ '"') }})
{%- endmacro %}
