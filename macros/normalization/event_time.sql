{% macro event_time(event_at, sent_at, received_at, max_age_days=366) -%}
    case
        when {{ has_bad_time(event_at, sent_at, received_at, max_age_days) }}
            then coalesce({{ received_at }}, {{ event_at }})
        when {{ sent_at }} is null or {{ received_at }} is null then {{ event_at }}
        else {{ received_at }} - ({{ sent_at }} - {{ event_at }})
    end
{%- endmacro %}
