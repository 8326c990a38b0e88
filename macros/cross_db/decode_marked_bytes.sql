{% macro decode_marked_bytes(expr) %}
    {{- return(adapter.dispatch('decode_marked_bytes', 'cdp')(expr)) -}}
{% endmacro %}

{# No decoder at hand: the frequent escapes are replaced, the others written as they were. #}
{% macro default__decode_marked_bytes(expr) -%}
    {%- set signs = {'20': ' ', '2C': ',', '2F': '/', '3A': ':', '7C': '|'} -%}
    {%- set ns = namespace(text=expr) -%}
    {%- for code, sign in signs.items() -%}
        {%- set ns.text = 'replace(' ~ ns.text ~ ", '\u0002" ~ code ~ "', '" ~ sign ~ "')" -%}
    {%- endfor -%}
    replace({{ ns.text }}, '{{ "\u0002" }}', '%')
{%- endmacro %}

{% macro duckdb__decode_marked_bytes(expr) -%}
    url_decode(replace(replace({{ expr }}, '%', '%25'), '{{ "\u0002" }}', '%'))
{%- endmacro %}

{% macro postgres__decode_marked_bytes(expr) -%}
    {%- set mark = "'\u0002'" -%}
    {%- set hex = 'replace(piece.found[1], ' ~ mark ~ ", '')" -%}
    {%- set pieces = text_literal('(?:\u0002[0-9a-fA-F]{2})+|[^\u0002]+') -%}
    (
        select string_agg(
            case
                when left(piece.found[1], 1) = {{ mark }}
                    then convert_from(decode({{ hex }}, 'hex'), 'UTF8')
                else piece.found[1]
            end,
            '' order by piece.place
        )
        from regexp_matches({{ expr }}, {{ pieces }}, 'g') with ordinality as piece (found, place)
    )
{%- endmacro %}
