{# 24 letters are more than any first name needs; a plain sum runs alike everywhere, while
   edit distance is an extension on some engines and missing on others. #}
{% macro common_prefix_length(left, right) -%}
    (
        {%- for length in range(1, 25) %}
        case when substr({{ left }}, 1, {{ length }}) = substr({{ right }}, 1, {{ length }})
            then 1 else 0 end {{- ' +' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
