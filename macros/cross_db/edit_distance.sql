{# Levenshtein's, the only one that every engine has. Some count bytes and some letters, so it is
   null where either text has letters outside ASCII; names are compared without accents. #}
{% macro edit_distance(left, right) %}
    {{- return(adapter.dispatch('edit_distance', 'cdp')(left, right)) -}}
{% endmacro %}

{% macro default__edit_distance(left, right) -%}
    case
        when octet_length({{ left }}) = length({{ left }})
            and octet_length({{ right }}) = length({{ right }})
            then levenshtein({{ left }}, {{ right }})
    end
{%- endmacro %}

{% macro duckdb__edit_distance(left, right) -%}
    case
        when strlen({{ left }}) = length({{ left }}) and strlen({{ right }}) = length({{ right }})
            then levenshtein({{ left }}, {{ right }})
    end
{%- endmacro %}

{# Of the extension fuzzystrmatch, which takes 255 letters; more are an error. `prepare_engine`
   installs it, but where nothing is compared the server need not have it. #}
{% macro postgres__edit_distance(left, right) -%}
    {%- if var('identity_fuzzy') -%}
    case
        when octet_length({{ left }}) = length({{ left }})
            and octet_length({{ right }}) = length({{ right }})
            then levenshtein({{ left }}, {{ right }})
    end
    {%- else -%}
    cast(null as integer)
    {%- endif -%}
{%- endmacro %}

{% macro snowflake__edit_distance(left, right) -%}
    case
        when octet_length({{ left }}) = length({{ left }})
            and octet_length({{ right }}) = length({{ right }})
            then editdistance({{ left }}, {{ right }})
    end
{%- endmacro %}

{% macro bigquery__edit_distance(left, right) -%}
    case
        when byte_length({{ left }}) = length({{ left }})
            and byte_length({{ right }}) = length({{ right }})
            then edit_distance({{ left }}, {{ right }})
    end
{%- endmacro %}
