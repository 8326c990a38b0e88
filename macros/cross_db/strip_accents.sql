{% macro strip_accents(expr) %}
    {{- return(adapter.dispatch('strip_accents', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__strip_accents(expr) -%}
    {%- set marks = '[\u0300-\u036f]+' -%}
    case
        when {{ regexp_matches(expr, not_latin_pattern()) }}
            then {{ regexp_replace_all(expr, marks, '') }}
        else normalize({{ regexp_replace_all('normalize(' ~ expr ~ ', NFD)', marks, '') }}, NFC)
    end
{%- endmacro %}

{% macro duckdb__strip_accents(expr) -%}
    case
        when {{ regexp_matches(expr, not_latin_pattern()) }}
            then {{ regexp_replace_all(expr, '[\u0300-\u036f]+', '') }}
        else strip_accents({{ expr }})
    end
{%- endmacro %}

{# No decomposition there: the accented letters of Western Europe, one by one. #}
{% macro spark__strip_accents(expr) -%}
    {%- set translated = 'translate(' ~ expr
        ~ ", 'àâäáãåçèéêëìíîïñòóôöõùúûüýÿÀÂÄÁÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÖÕÙÚÛÜÝ'"
        ~ ", 'aaaaaaceeeeiiiinooooouuuuyyAAAAAACEEEEIIIINOOOOOUUUUY')" -%}
    {{ regexp_replace_all(translated, '[\u0300-\u036f]+', '') }}
{%- endmacro %}

{% macro snowflake__strip_accents(expr) -%}
    {{ cdp.spark__strip_accents(expr) }}
{%- endmacro %}
