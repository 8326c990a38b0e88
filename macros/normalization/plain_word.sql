{% macro plain_word(expr) -%}
    case
        when {{ regexp_matches(expr, '^[!-~](?:[ -~]*[!-~])?$') }} then {{ lower_ascii(expr) }}
        else {{ bind_value(
            'composed_word', nfc(lower_text(clean_text(expr))), strip_accents('composed_word')
        ) }}
    end
{%- endmacro %}
