-- How many records and persons share a value. A store's phone, a kiosk or a group mailbox is
-- told by its degree: no list of such values is ever complete.

with

identifiers_screened as (

    select * from {{ ref('int_identity__identifiers_screened') }}

    where rejection_reason is null

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

counted as (

    select
        identifiers_screened.identifier_type,
        identifiers_screened.identifier_value,
        count(*) as record_count,
        count(records_keyed.record_key) as known_record_count,
        count(distinct records_keyed.person_key) as person_key_count,
        count(distinct case
            when records_keyed.first_name_key is not null then records_keyed.name_pair
        end) as person_count

    from identifiers_screened

    left join records_keyed
        on identifiers_screened.record_key = records_keyed.record_key

    group by
        identifiers_screened.identifier_type,
        identifiers_screened.identifier_value

    having count(*) > 1

),

measured as (

    select
        counted.identifier_type,
        counted.identifier_value,
        counted.record_count,
        counted.known_record_count,
        counted.person_key_count,
        counted.person_count,
        case
            when counted.record_count > identifier_rules.max_records_per_value
                then 'too_many_records'
            when counted.person_count > identifier_rules.max_persons_per_value
                then 'too_many_persons'
        end as rejection_reason

    from counted

    inner join identifier_rules
        on counted.identifier_type = identifier_rules.identifier_type

)

select * from measured
