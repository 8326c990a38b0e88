-- A customer of more records than anybody leaves, browsers included, is a hub that the guards
-- missed. Better no build than strangers in one profile. A browser that is nobody's may be as
-- large as it likes: it joins nobody, and is in the review queue.

select
    cluster_key,
    count(*) as record_count

from {{ ref('int_identity__records_clustered') }}

where not is_anonymous

group by cluster_key

having count(*) > {{ var('identity_max_records_per_customer') }}
