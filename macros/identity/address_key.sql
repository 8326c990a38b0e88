{# Letters and digits of any script: "12 bis, Rue de l'Été" is 12bisruedelete. #}
{% macro address_key(expr) -%}
    {%- set not_letter_or_digit = '[\u0001-/:-`{-\u00bf\u2000-\u206f\u3000-\u3004]+' -%}
    nullif({{ regexp_replace_all(
        lower_text(strip_accents(nfc(expr))), not_letter_or_digit, ''
    ) }}, '')
{%- endmacro %}
