-- read = loaded + quarantined + deduplicated + erased, for every source table and subject.
select
    source_table,
    subject,
    lost_rows

from {{ ref('source_reconciliation') }}

where lost_rows != 0
