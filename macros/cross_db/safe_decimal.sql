{% macro safe_decimal(expr, precision=18, scale=2) -%}
    {%- set digits = precision - scale - 1 -%}
    {%- set pattern = '^[+-]?(?:0*[0-9]{1,' ~ digits ~ '}(?:[.][0-9]*)?|[.][0-9]+)$' -%}
    cast({{ regexp_extract(expr, pattern) }} as decimal({{ precision }}, {{ scale }}))
{%- endmacro %}
