-- Stops the build before profiles: nothing is published or sent from a collapse. Once somebody
-- has looked and it is right, identity_accepted_through lets it pass.
select
    as_of,
    largest_record_count,
    merged_count

from {{ ref('identity_health') }}

where
    as_of = {{ as_of_date() }}
    and is_alarming
    and as_of > cast('{{ var("identity_accepted_through") }}' as date)
