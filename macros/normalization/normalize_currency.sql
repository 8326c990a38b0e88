{% macro normalize_currency(expr) -%}
    {%- set signs = {
        'EUR': ['€'],
        'GBP': ['£'],
        'INR': ['₹'],
        'TRY': ['₺'],
        'RUB': ['₽'],
        'ILS': ['₪'],
        'KRW': ['₩'],
        'VND': ['₫'],
        'PLN': ['zł'],
    } -%}
    {%- set letters = regexp_extract('currency_text', '^[A-Za-z]{3}$') -%}
    {%- set known = '^(?:' ~ currency_codes() | join('|') ~ ')$' -%}
    {{- bind_value(
        'currency_text',
        clean_text(expr),
        'coalesce(' ~ regexp_extract('upper(' ~ letters ~ ')', known) ~ ', '
        ~ map_plain_values('currency_text', signs) ~ ')'
    ) -}}
{%- endmacro %}
