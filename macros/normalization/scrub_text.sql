{% macro scrub_text(expr) -%}
    {%- set gap = '[ .\u00a0\u202f-]?' -%}
    {%- set edge = '(^|[^0-9A-Za-z])' -%}
    {%- set not_in_address = ']\\[ \t\r\n<>"\'`,;:(){}|=&?/@!' -%}
    {%- set word = '[^' ~ not_in_address ~ ']' -%}
    {%- set scrubbed = regexp_replace_steps(expr, [
        (word ~ '+(?:@|%40)' ~ word ~ '*[^' ~ not_in_address ~ '.]', '[email]'),
        (edge ~ '[A-Z]{2}[0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,4})?', '\\1[iban]'),
        (edge ~ '[3-6][0-9]{3}(?:' ~ gap ~ '[0-9]){9,15}', '\\1[card]'),
        (edge ~ '(?:[+]|00)[1-9](?:[ .()/\u00a0\u202f-]{0,3}[0-9]){7,14}', '\\1[phone]'),
        (edge ~ '0[1-9](?:' ~ gap ~ '[0-9]{2}){4}', '\\1[phone]'),
    ]) -%}
    case when {{ regexp_matches(expr, '@|%40|[0-9]{2}') }} then {{ scrubbed }} else {{ expr }} end
{%- endmacro %}
