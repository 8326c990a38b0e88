{% macro name_key(expr) -%}
    {%- set not_letter = '[\u0001-`{-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7'
        ~ '\u02b0-\u02ff\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\ufe00-\ufe0f'
        ~ '\ufeff\uff00-\uff20\ufff0-\uffff\U0001f000-\U0001faff]+' -%}
    {%- set folded = "replace(replace(replace(replace(translate("
        ~ lower_text(strip_accents('composed_name'))
        ~ ", 'øđðłı', 'oddli'), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss'), 'þ', 'th')" -%}
    {{- bind_value(
        'composed_name',
        nfc(expr),
        'nullif(' ~ regexp_replace_all(folded, not_letter, '') ~ ", '')"
    ) -}}
{%- endmacro %}
