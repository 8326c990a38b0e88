{% macro normalize_money(expr, scale=2, number_format='plain') -%}
    {%- set trimmed = regexp_replace_all(expr, '^[' ~ character_class('space') ~ ']+|[' ~ character_class('space') ~ ']+$', '') -%}
    {%- set digits = 18 - scale - 1 -%}
    {%- if number_format == 'plain' -%}
        {{ safe_decimal(trimmed, 18, scale) }}
    {%- elif number_format == 'fr' -%}
        {%- set shape = '^[+-]?(?:[0-9]+|[0-9]{1,3}(?:[. \u00a0\u202f][0-9]{3})+)(?:,[0-9]+)?$' -%}
        {%- set shaped = regexp_extract(trimmed, shape) -%}
        {{ safe_decimal("replace(" ~ regexp_replace_all(shaped, '[. \u00a0\u202f]', '') ~ ", ',', '.')", 18, scale) }}
    {%- elif number_format == 'us' -%}
        {%- set shape = '^[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:[.][0-9]+)?$' -%}
        {{ safe_decimal("replace(" ~ regexp_extract(trimmed, shape) ~ ", ',', '')", 18, scale) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error('normalize_money: unknown format ' ~ number_format) }}
    {%- endif -%}
{%- endmacro %}
