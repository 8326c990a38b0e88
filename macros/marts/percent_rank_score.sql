{# ntile would cut through equal values: two customers with one order each would get
   different scores, and other ones in the next run. #}
{% macro percent_rank_score(value) -%}
    cast(
        least(5, 1 + floor(5 * percent_rank() over (order by {{ value }}))) as {{ dbt.type_int() }}
    )
{%- endmacro %}
