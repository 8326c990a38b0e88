{% macro punycode_digit(value) -%}
    substring('abcdefghijklmnopqrstuvwxyz0123456789', cast({{ value }} as int) + 1, 1)
{%- endmacro %}
