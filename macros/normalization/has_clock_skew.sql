{% macro has_clock_skew(sent_at, received_at) -%}
    coalesce(
        {{ sent_at }} > {{ dbt.dateadd('minute', 5, received_at) }}
        or {{ sent_at }} < {{ dbt.dateadd('minute', -5, received_at) }},
        false
    )
{%- endmacro %}
