-- What people decided, and whether it still holds: the newest decision about two records, or
-- about a record and a value, counts.

{%- set about -%}
partition by coalesce(left_record_key, record_key), right_record_key, identifier_type, value_hash
{%- endset %}

with

decisions as (

    select * from {{ source('state', 'identity_decisions') }}

),

sorted as (

    select
        decision_number,
        decision,
        author,
        reason,
        decided_at,
        record_key,
        other_record_key,
        identifier_type,
        value_hash,
        case
            when other_record_key < record_key then other_record_key
            when other_record_key is not null then record_key
        end as left_record_key,
        case when other_record_key < record_key then record_key else other_record_key end
            as right_record_key,
        -- Hashes outlive the records they stand for.
        substr({{ sha256_hex('record_key') }}, 1, 32) as record_hash,
        substr({{ sha256_hex('other_record_key') }}, 1, 32) as other_record_hash

    from decisions

),

compared as (

    select
        *,
        max(decision_number) over ({{ about }}) as newest_decision_number,
        lag(decision) over ({{ about }} order by decision_number) as earlier_decision

    from sorted

),

listed as (

    select
        decision_number,
        decision,
        author,
        reason,
        decided_at,
        record_key,
        other_record_key,
        identifier_type,
        value_hash,
        left_record_key,
        right_record_key,
        record_hash,
        other_record_hash,
        decision != 'withdrawn' and decision_number = newest_decision_number as is_in_force,
        -- A withdrawal lets go of what it takes back: of a same it parts, of a different it joins.
        case
            when decision = 'same' then 'joins'
            when decision in ('different', 'detach') then 'parts'
            when earlier_decision = 'same' then 'parts'
            when earlier_decision in ('different', 'detach') then 'joins'
        end as effect

    from compared

)

select * from listed
