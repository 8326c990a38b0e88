-- Within one value, every two persons that hold it. Persons are paired, not records: a value in
-- a thousand guest orders without a name is one person key.

with

identifiers_screened as (

    select * from {{ ref('int_identity__identifiers_screened') }}

    where rejection_reason is null

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

identifier_values_measured as (

    select * from {{ ref('int_identity__identifier_values_measured') }}

    where
        rejection_reason is null
        and person_key_count > 1

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

    where may_merge

),

holders as (

    select distinct
        identifiers_screened.identifier_type,
        identifiers_screened.identifier_value,
        identifier_rules.match_on,
        records_keyed.person_key,
        records_keyed.first_name_key,
        records_keyed.last_name_key,
        records_keyed.birth_date,
        records_keyed.gender

    from identifiers_screened

    inner join identifier_rules
        on identifiers_screened.identifier_type = identifier_rules.identifier_type

    inner join identifier_values_measured
        on
            identifiers_screened.identifier_type = identifier_values_measured.identifier_type
            and identifiers_screened.identifier_value
            = identifier_values_measured.identifier_value

    inner join records_keyed
        on identifiers_screened.record_key = records_keyed.record_key

),

pairs as (

    select
        one.identifier_type,
        one.identifier_value,
        one.match_on,
        one.person_key as left_person_key,
        other.person_key as right_person_key,
        one.first_name_key as left_first,
        other.first_name_key as right_first,
        one.last_name_key as left_last,
        other.last_name_key as right_last,
        one.birth_date as left_birth_date,
        other.birth_date as right_birth_date,
        one.gender as left_gender,
        other.gender as right_gender

    from holders as one

    inner join holders as other
        on
            one.identifier_type = other.identifier_type
            and one.identifier_value = other.identifier_value
            and one.person_key < other.person_key

)

select * from pairs
