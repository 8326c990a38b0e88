{% macro null_if_placeholder(expr, is_name=false) -%}
    {{- bind_value(
        'cleaned_value',
        clean_text(expr),
        'case when length(cleaned_value) > 36 then cleaned_value when not '
        ~ regexp_matches(lower_text('cleaned_value'), placeholder_pattern(is_name))
        ~ ' then cleaned_value end'
    ) -}}
{%- endmacro %}
