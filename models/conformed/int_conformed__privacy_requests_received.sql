select
    'privacy:' || request_id as request_id,
    request_type,
    identifier_type,
    identifier_value,
    requested_at,
    is_verified,
    'privacy.privacy_requests' as source_table,
    loaded_at

from {{ ref('stg_privacy__privacy_requests') }}

where quarantine_reason is null
