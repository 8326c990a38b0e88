{% macro normalize_currency(expr) -%}
    {%- set codes = currency_codes() | join('|') -%}
    {{- bind_value(
        'currency_text',
        'upper(trim(' ~ expr ~ '))',
        "case currency_text when '€' then 'EUR' when '£' then 'GBP' when '₹' then 'INR' when '₺' then 'TRY'"
        ~ " when '₽' then 'RUB' when '₪' then 'ILS' when '₩' then 'KRW' when '₫' then 'VND' when 'ZŁ' then 'PLN'"
        ~ " when 'zł' then 'PLN' else " ~ regexp_extract('currency_text', '^(?:' ~ codes ~ ')$') ~ ' end'
    ) -}}
{%- endmacro %}
