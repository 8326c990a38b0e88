select
    'support:' || ticket_key as ticket_id,
    record_key,
    status,
    priority,
    ticket_channel as channel,
    'shop:' || order_key as order_id,
    opened_at,
    closed_at,
    closed_at is null
    and coalesce(status, 'open') not in ('solved', 'closed') as is_open,
    'support.tickets' as source_table,
    loaded_at

from {{ ref('stg_support__tickets') }}

where quarantine_reason is null
