{% macro is_valid_json(expr) %}
    {{- return(adapter.dispatch('is_valid_json', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__is_valid_json(expr) -%}
    (try_parse_json({{ expr }}) is not null)
{%- endmacro %}

{# DuckDB's reader also takes trailing commas, NaN and Infinity: looked for outside strings. #}
{% macro duckdb__is_valid_json(expr) -%}
    (
        json_valid({{ expr }})
        and not {{ regexp_matches(
            regexp_replace_all(expr, '"(?:[^"\\\\]|\\\\[^\n])*"', '""'),
            '[NIi]|n[^u]|,[ \t\r\n]*[]}]'
        ) }}
        and not {{ regexp_matches("replace(" ~ expr ~ ", '\\\\', '')", '\\\\u0000') }}
    )
{%- endmacro %}

{% macro postgres__is_valid_json(expr) -%}
    {%- set hex = '[0-9a-fA-F]' -%}
    {%- set escape = '\\\\(?:["\\\\/bfnrt]|u(?:[1-9a-cA-CefEF]' ~ hex ~ '{3}'
        ~ '|[dD][0-7]' ~ hex ~ '{2}|0[1-9a-fA-F]' ~ hex ~ '{2}'
        ~ '|00[1-9a-fA-F]' ~ hex ~ '|000[1-9a-fA-F]'
        ~ '|[dD][89abAB]' ~ hex ~ '{2}\\\\u[dD][c-fC-F]' ~ hex ~ '{2}))' -%}
    {%- set text = '"(?:[^"\\\\\u0001-\u001f]|' ~ escape ~ ')*"' -%}
    {%- set number = '-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?' -%}
    {%- set tokens = regexp_replace_all(
        regexp_replace_all(expr, text, '\u0002'), number ~ '|true|false|null', '\u0003'
    ) -%}
    {%- set value = '[\u0002\u0003]' -%}
    {%- set pair = '\u0002:' ~ value -%}
    {%- set array = '\\[(?:' ~ value ~ '(?:,' ~ value ~ ')*)?\\]' -%}
    {%- set object = '\\{(?:' ~ pair ~ '(?:,' ~ pair ~ ')*)?\\}' -%}
    {%- set inner = array ~ '|' ~ object -%}
    case
        when {{ expr }} is null then null
        when {{ regexp_matches(expr, '[\u0001-\u0008\u000b\u000c\u000e-\u001f]') }} then false
        else (
            with recursive reduced as (
                select {{ regexp_replace_all(tokens, '[ \t\r\n]+', '') }} as rest

                union all

                select {{ regexp_replace_all('rest', inner, '\u0003') }} as rest
                from reduced
                where {{ regexp_matches('rest', inner) }}
            )
            select bool_or({{ regexp_matches('rest', '^' ~ value ~ '$') }}) from reduced
        )
    end
{%- endmacro %}
