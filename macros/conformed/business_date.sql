{% macro business_date(timestamp) -%}
    cast({{ from_utc(timestamp, text_literal(var('business_time_zone'))) }} as date)
{%- endmacro %}
