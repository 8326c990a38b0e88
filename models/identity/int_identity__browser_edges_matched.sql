-- Browsers and devices that share a cookie or device id, each with the first of those that hold
-- it: n - 1 links for n holders, never all pairs.

with

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where
        rejection_reason is null
        and is_anonymous_record

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

    where is_anonymous

),

anchored as (

    select
        identifiers_validated.record_key as right_record_key,
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value,
        first_value(identifiers_validated.record_key) over (
            partition by
                identifiers_validated.identifier_type,
                identifiers_validated.identifier_value
            order by {{ binary_order('identifiers_validated.record_key') }}
        ) as left_record_key

    from identifiers_validated

    inner join identifier_rules
        on identifiers_validated.identifier_type = identifier_rules.identifier_type

)

select distinct
    left_record_key,
    right_record_key,
    identifier_type,
    identifier_value

from anchored

where left_record_key != right_record_key
