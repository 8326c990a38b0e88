{% macro strip_accents(expr) %}
    {{- return(adapter.dispatch('strip_accents', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__strip_accents(expr) -%}
    case
        when {{ regexp_matches(expr, not_latin_pattern()) }}
            then {{ regexp_replace_all(expr, '[\u0300-\u036f]+', '') }}
        else normalize({{ regexp_replace_all('normalize(' ~ expr ~ ', NFD)', '[\u0300-\u036f]+', '') }}, NFC)
    end
{%- endmacro %}

{% macro duckdb__strip_accents(expr) -%}
    case
        when {{ regexp_matches(expr, not_latin_pattern()) }}
            then {{ regexp_replace_all(expr, '[\u0300-\u036f]+', '') }}
        else strip_accents({{ expr }})
    end
{%- endmacro %}

{% macro spark__strip_accents(expr) -%}
    {{ regexp_replace_all(
        'translate(' ~ expr ~ ", 'àâäáãåçèéêëìíîïñòóôöõùúûüýÿÀÂÄÁÃÅÇÈÉÊËÌÍÎÏÑÒÓÔÖÕÙÚÛÜÝ', "
        ~ "'aaaaaaceeeeiiiinooooouuuuyyAAAAAACEEEEIIIINOOOOOUUUUY')", '[\u0300-\u036f]+', ''
    ) }}
{%- endmacro %}

{% macro snowflake__strip_accents(expr) -%}
    {{ cdp.spark__strip_accents(expr) }}
{%- endmacro %}
