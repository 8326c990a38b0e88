select
    'consent:' || consent_key as consent_event_id,
    identifier_type,
    identifier_value,
    purpose,
    channel,
    status,
    lawful_basis,
    captured_at,
    received_at,
    coalesce(
        captured_at > {{ dbt.dateadd('day', 1, 'coalesce(received_at, loaded_at)') }},
        true
    ) as has_bad_time,
    collected_by,
    'consent.consent_events' as source_table,
    loaded_at

from {{ ref('stg_consent__consent_events') }}

where quarantine_reason is null
