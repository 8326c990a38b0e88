{% macro has_bad_time(event_at, sent_at, received_at, max_age_days=366) -%}
    {%- set latest = 'coalesce(' ~ sent_at ~ ', '
        ~ dbt.dateadd('minute', 5, received_at) | trim ~ ')' -%}
    {%- set left_at = 'coalesce(' ~ sent_at ~ ', ' ~ received_at ~ ')' -%}
    {%- set earliest = dbt.dateadd('day', 0 - max_age_days, left_at) | trim -%}
    (
        {{ event_at }} is null
        or coalesce({{ event_at }} > {{ latest }}, false)
        or coalesce({{ event_at }} < {{ earliest }}, false)
    )
{%- endmacro %}
