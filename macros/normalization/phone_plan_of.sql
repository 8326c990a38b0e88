{# Entries of fixed width, found by place: one look-up where a case would test 37 countries. #}
{% macro phone_plan_of(country) -%}
    {%- set plans = phone_plans() -%}
    {%- set ns = namespace(table='') -%}
    {%- for name in [var('default_country')] + (plans | list) -%}
        {%- set ns.table = ns.table ~ (name ~ '=' ~ phone_plan_code(plans[name])).ljust(8) -%}
    {%- endfor -%}
    {%- set table = text_literal(ns.table) -%}
    {%- set place = 'coalesce(nullif(' ~ dbt.position(country ~ " || '='", table) ~ ', 0), 1)' -%}
    trim(substring({{ table }}, {{ place }} + 3, 5))
{%- endmacro %}
