{% macro has_bad_time(event_at, sent_at, received_at, max_age_days=366) -%}
    (
        {{ event_at }} is null
        or coalesce({{ event_at }} > {{ sent_at }}, false)
        or coalesce({{ event_at }} > coalesce({{ sent_at }}, {{ dbt.dateadd('minute', 5, received_at) }}), false)
        or coalesce(
            {{ event_at }} < {{ dbt.dateadd('day', 0 - max_age_days, 'coalesce(' ~ sent_at ~ ', ' ~ received_at ~ ')') }},
            false
        )
    )
{%- endmacro %}
