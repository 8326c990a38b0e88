-- Stars: each record is tied to the first record of its match group, so n records give n - 1
-- edges. A record without a name has one vote, cast by its most trusted identifier: it goes
-- where it belongs but can never join two named persons (Ava's e-mail with Bob's phone).
{% set in_match_group %}
    over (
        partition by
            identifiers_validated.identifier_type,
            identifiers_validated.identifier_value,
            identifiers_validated.match_group
    )
{% endset %}

with

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where match_group is not null

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

members as (

    select
        identifiers_validated.record_key,
        identifiers_validated.identifier_type,
        identifiers_validated.identifier_value,
        identifier_rules.priority,
        records_keyed.first_name_key is not null as has_name,
        {{ binary_min(
            'case when records_keyed.first_name_key is not null '
            ~ 'then identifiers_validated.record_key end',
            in_match_group
        ) }} as first_named_record_key,
        {{ binary_min('identifiers_validated.record_key', in_match_group) }} as first_record_key

    from identifiers_validated

    inner join identifier_rules
        on identifiers_validated.identifier_type = identifier_rules.identifier_type

    inner join records_keyed
        on identifiers_validated.record_key = records_keyed.record_key

),

candidates as (

    select
        record_key,
        identifier_type,
        identifier_value,
        priority,
        has_name,
        coalesce(first_named_record_key, first_record_key) as anchor_record_key

    from members

    where record_key != coalesce(first_named_record_key, first_record_key)

),

voted as (

    select
        *,
        row_number() over (
            partition by record_key
            order by priority, {{ binary_order('anchor_record_key') }}
        ) as vote

    from candidates

),

decisions as (

    select * from {{ ref('int_identity__decisions_listed') }}

    where
        is_in_force
        and decision = 'same'

),

edges as (

    select
        anchor_record_key as left_record_key,
        record_key as right_record_key,
        identifier_type,
        identifier_value,
        priority

    from voted

    where
        has_name
        or vote = 1

    union all

    -- Both records must still be there.
    select
        decisions.left_record_key,
        decisions.right_record_key,
        'decision' as identifier_type,
        cast(null as {{ dbt.type_string() }}) as identifier_value,
        0 as priority

    from decisions

    inner join records_keyed as left_records
        on decisions.left_record_key = left_records.record_key

    inner join records_keyed as right_records
        on decisions.right_record_key = right_records.record_key

)

select * from edges
