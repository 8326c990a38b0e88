{# Whoever writes a sync model cannot forget consent: the rows come from here. No decision
   means no. A suppressed person (erasure, restriction, objection) is in no sync at all. #}
{% macro sync_rows(sync_name, segment=none) %}
    {%- set sync = sync_settings(sync_name) or {} -%}
    select members.customer_id

    from {{ ref('segment_members') if segment else ref('customers') }} as members

    where
        {% if segment -%}
        members.segment_name = '{{ segment }}'
        and {% endif -%}
        exists (
            select 1

            from {{ ref('customer_consents') }} as consents

            where
                consents.customer_id = members.customer_id
                and consents.purpose = '{{ sync.purpose }}'
                and consents.channel = '{{ sync.channel }}'
                and consents.is_granted
        )
        and not exists (
            select 1

            from {{ ref('customer_suppressions') }} as suppressions

            where suppressions.customer_id = members.customer_id
        )
{%- endmacro %}
