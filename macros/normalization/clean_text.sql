{% macro clean_text(expr) -%}
    {%- set edge = character_class('space') ~ character_class('invisible') -%}
    case
        when {{ regexp_matches(expr, '^[!-~](?:[ -~]*[!-~])?$') }} then {{ expr }}
        else nullif({{ nfc(regexp_replace_all(expr, '^[' ~ edge ~ ']+|[' ~ edge ~ ']+$', '')) }}, '')
    end
{%- endmacro %}
