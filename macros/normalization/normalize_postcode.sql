{% macro normalize_postcode(expr, country) -%}
    {%- set digits = regexp_replace_all(expr, '^ *([0-9]+)[.]0 *$', '\\1') -%}
    {%- set compact = 'upper(' ~ regexp_replace_all(digits, '[^0-9A-Za-z]+', '') ~ ')' -%}
    {%- set spaced = 'upper(' ~ regexp_replace_all(digits, '[^0-9A-Za-z -]+', '') ~ ')' -%}
    {%- set five = "lpad(" ~ regexp_extract('postal_text', '^[0-9]{4,5}$') ~ ", 5, '0')" -%}
    {%- set forms = {
        'FR MC GP MQ GF RE YT DE ES IT': five,
        'BE CH AT LU DK NO HU AU NZ': regexp_extract(
            'postal_text', '^(?:B|CH|A|L|DK|N|H)?([0-9]{4})$', 1
        ),
        'NL': regexp_replace_all(
            regexp_extract('postal_text', '^[1-9][0-9]{3}[A-Z]{2}$'), '^([0-9]{4})', '\\1 '
        ),
        'GB': regexp_replace_all(
            regexp_extract('postal_text', '^[A-Z]{1,2}[0-9][0-9A-Z]?[0-9][A-Z]{2}$'),
            '([0-9A-Z]{3})$',
            ' \\1'
        ),
        'US': 'coalesce(' ~ five ~ ', ' ~ regexp_replace_all(
            regexp_extract('postal_text', '^[0-9]{9}$'), '^([0-9]{5})', '\\1-'
        ) ~ ')',
    } -%}
    {%- set cases = [] -%}
    {%- for countries, form in forms.items() -%}
        {%- set literals = "'" ~ (countries | replace(' ', "', '")) ~ "'" -%}
        {%- do cases.append('when postal_country in (' ~ literals ~ ') then ' ~ form) -%}
    {%- endfor -%}
    {{- bind_value('postal_text', compact, bind_value(
        'postal_country',
        'coalesce(' ~ country ~ ", '" ~ var('default_country') ~ "')",
        'case ' ~ cases | join(' ') ~ ' else ' ~ null_if_placeholder(spaced) ~ ' end'
    )) -}}
{%- endmacro %}
