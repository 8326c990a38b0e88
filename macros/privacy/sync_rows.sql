{# Whoever writes a sync model cannot forget consent: the rows come from here. No decision
   means no. A suppressed person (erasure, restriction, objection) is in no sync at all. #}
{% macro sync_rows(sync_name, segment=none) %}
    {%- set sync = sync_settings(sync_name) or {'purpose': 'none', 'channel': 'none'} -%}
    select members.customer_id

    from {{ ref('segment_members') if segment else ref('customers') }} as members

    where
        {% if segment -%}
        members.segment_name = '{{ segment }}'
        and {% endif -%}
        members.customer_id in (
            {{ consented_customers(sync.purpose, sync.channel) }}
        )
{%- endmacro %}
