{% macro trait_windows() %}
    {{ return([7, 30, 90, 365]) }}
{% endmacro %}
