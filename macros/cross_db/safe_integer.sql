{% macro safe_integer(expr) -%}
    cast({{ regexp_extract(expr, '^([+-]?0*[0-9]{1,18})(?:[.]0*)?$', 1) }} as bigint)
{%- endmacro %}
