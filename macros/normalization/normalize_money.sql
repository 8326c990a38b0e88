{% macro normalize_money(expr, scale=2, number_format='plain') -%}
    {%- set space = character_class('space') -%}
    {%- set trimmed = regexp_replace_all(expr, '^[' ~ space ~ ']+|[' ~ space ~ ']+$', '') -%}
    {%- if number_format == 'plain' -%}
        {{ safe_decimal(trimmed, 18, scale) }}
    {%- elif number_format == 'fr' -%}
        {%- set gap = '[. \u00a0\u202f]' -%}
        {%- set shape = '^[+-]?(?:[0-9]+|[0-9]{1,3}(?:' ~ gap ~ '[0-9]{3})+)(?:,[0-9]+)?$' -%}
        {%- set ungrouped = regexp_replace_all(regexp_extract(trimmed, shape), gap, '') -%}
        {{ safe_decimal('replace(' ~ ungrouped ~ ", ',', '.')", 18, scale) }}
    {%- elif number_format == 'us' -%}
        {%- set shape = '^[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:[.][0-9]+)?$' -%}
        {{ safe_decimal('replace(' ~ regexp_extract(trimmed, shape) ~ ", ',', '')", 18, scale) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error('normalize_money: unknown format ' ~ number_format) }}
    {%- endif -%}
{%- endmacro %}
