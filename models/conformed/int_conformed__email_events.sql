{% set event_types = {
    'sends': 'email_sent',
    'opens': 'email_opened',
    'clicks': 'email_clicked',
    'bounces': 'email_bounced',
    'unsubscribes': 'email_unsubscribed'
} %}

with

events as (

    {% for table, event_type in event_types.items() %}
        select
            '{{ table }}' as table_name,
            '{{ event_type }}' as event_type,
            event_key,
            record_key,
            campaign_native_id,
            {% if table == 'clicks' %}
                page_url,
            {% else %}
                cast(null as {{ dbt.type_string() }}) as page_url,
            {% endif %}
            occurred_at,
            loaded_at

        from {{ ref('stg_email__' ~ table) }}

        where quarantine_reason is null
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select
    'email:' || table_name || ':' || event_key as event_id,
    record_key,
    cast(null as {{ dbt.type_string() }}) as login_id,
    'email' as source_name,
    'email.' || table_name as source_table,
    'email' as channel,
    event_type,
    occurred_at,
    loaded_at as received_at,
    false as has_bad_time,
    'email:' || campaign_native_id as campaign_key,
    cast(null as {{ dbt.type_string() }}) as product_id,
    page_url,
    cast(null as {{ dbt.type_string() }}) as properties,
    loaded_at

from events
