{# PostgreSQL raises on overflow and on underflow where others give infinity and zero.
   The bound leaves room for products: e^300 squared is still a double. #}
{% macro exp_clamped(exponent) -%}
    exp(greatest(-300.0, least(300.0, {{ exponent }})))
{%- endmacro %}
