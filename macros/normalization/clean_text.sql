{% macro clean_text(expr) -%}
    {%- set edge = character_class('space') ~ character_class('invisible') -%}
    {%- set trimmed = regexp_replace_all(expr, '^[' ~ edge ~ ']+|[' ~ edge ~ ']+$', '') -%}
    case
        when {{ regexp_matches(expr, '^[!-~](?:[ -~]*[!-~])?$') }} then {{ expr }}
        else nullif({{ nfc(trimmed) }}, '')
    end
{%- endmacro %}
