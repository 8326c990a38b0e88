{% macro normalize_name(expr) -%}
    {{- bind_value(
        'spaced_name',
        regexp_replace_all(expr, '[' ~ character_class('space') ~ ']+', ' '),
        null_if_placeholder('spaced_name', is_name=true)
    ) -}}
{%- endmacro %}
