-- A customer of more records than anybody leaves is a hub that the guards missed. Better no
-- build than strangers in one profile.

select
    cluster_key,
    count(*) as record_count

from {{ ref('int_identity__clusters_resolved') }}

group by cluster_key

having count(*) > {{ var('identity_max_records_per_customer') }}
