{% macro free_text(expr) -%}
    {%- set blank = character_class('space') ~ character_class('invisible') -%}
    case
        when {{ regexp_matches(expr, '[^' ~ blank ~ ']') }} then {{ nfc(expr) }}
    end
{%- endmacro %}
