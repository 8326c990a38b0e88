{% macro decode_marked_bytes(expr) %}
    {{- return(adapter.dispatch('decode_marked_bytes', 'cdp')(expr)) -}}
{% endmacro %}

{# No general decoder: the frequent escapes are replaced, the others are written as they were. #}
{% macro default__decode_marked_bytes(expr) -%}
    {%- set ns = namespace(text=expr) -%}
    {%- for escape, sign in [('20', ' '), ('2C', ','), ('2F', '/'), ('3A', ':'), ('7C', '|'), ('C3\u0002A9', 'é')] -%}
        {%- set ns.text = 'replace(' ~ ns.text ~ ", '\u0002" ~ escape ~ "', '" ~ sign ~ "')" -%}
    {%- endfor -%}
    replace({{ ns.text }}, '{{ "\u0002" }}', '%')
{%- endmacro %}

{% macro duckdb__decode_marked_bytes(expr) -%}
    url_decode(replace(replace({{ expr }}, '%', '%25'), '{{ "\u0002" }}', '%'))
{%- endmacro %}

{% macro postgres__decode_marked_bytes(expr) -%}
    (
        select string_agg(
            case
                when piece.found[1] like '{{ "\u0002" }}%'
                    then convert_from(decode(replace(piece.found[1], '{{ "\u0002" }}', ''), 'hex'), 'UTF8')
                else piece.found[1]
            end,
            '' order by piece.place
        )
        from regexp_matches({{ expr }}, {{ text_literal('(?:\u0002[0-9a-fA-F]{2})+|[^\u0002]+') }}, 'g')
            with ordinality as piece (found, place)
    )
{%- endmacro %}
