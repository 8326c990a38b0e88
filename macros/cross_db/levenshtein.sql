{% macro levenshtein(left, right) %}
    {{- return(adapter.dispatch('levenshtein', 'cdp')(left, right)) -}}
{% endmacro %}

{% macro default__levenshtein(left, right) -%}
    levenshtein({{ left }}, {{ right }})
{%- endmacro %}

{% macro snowflake__levenshtein(left, right) -%}
    editdistance({{ left }}, {{ right }})
{%- endmacro %}

{% macro bigquery__levenshtein(left, right) -%}
    edit_distance({{ left }}, {{ right }})
{%- endmacro %}
