{% macro normalize_postcode(expr, country) -%}
    {%- set compact = regexp_replace_all(
        regexp_replace_all('upper(' ~ expr ~ ')', '^([0-9]+)[.]0$', '\\1'), '[^0-9A-Z]+', ''
    ) -%}
    {%- set five = regexp_extract("lpad(" ~ regexp_extract('postal_text', '^[0-9]{4,5}$') ~ ", 5, '0')", '^[0-9]{5}$') -%}
    {{- bind_value(
        'postal_text',
        compact,
        "case when coalesce(" ~ country ~ ", '" ~ var('default_country') ~ "') in ('FR', 'DE', 'ES', 'IT', 'MC', 'GP', 'MQ', 'GF', 'RE', 'YT')"
        ~ " then " ~ five
        ~ " when " ~ country ~ " in ('BE', 'CH', 'AT', 'LU', 'DK', 'NO', 'HU', 'AU', 'NZ') then "
        ~ regexp_extract('postal_text', '^(?:L|B|CH|A|DK)?([0-9]{4})$', 1)
        ~ " when " ~ country ~ " = 'NL' then "
        ~ regexp_replace_all(regexp_extract('postal_text', '^[1-9][0-9]{3}[A-Z]{2}$'), '([0-9])([A-Z])', '\\1 \\2')
        ~ " when " ~ country ~ " = 'GB' then "
        ~ regexp_replace_all(regexp_extract('postal_text', '^[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}$'), '([0-9][A-Z]{2})$', ' \\1')
        ~ " when " ~ country ~ " = 'US' then "
        ~ regexp_replace_all(
            regexp_extract("case when length(postal_text) <= 5 then lpad(" ~ regexp_extract('postal_text', '^[0-9]{4,5}$') ~ ", 5, '0') else postal_text end", '^[0-9]{5}(?:[0-9]{4})?$'),
            '^([0-9]{5})([0-9]{4})$', '\\1-\\2')
        ~ " else " ~ null_if_placeholder('upper(' ~ expr ~ ')') ~ " end"
    ) -}}
{%- endmacro %}
