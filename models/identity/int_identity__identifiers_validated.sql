-- Every identifier with its verdict, and the group of records that it proves to be one
-- person. Different groups of one value are different persons (a family's mailbox).

with

identifiers_screened as (

    select * from {{ ref('int_identity__identifiers_screened') }}

),

identifier_values_measured as (

    select * from {{ ref('int_identity__identifier_values_measured') }}

),

match_groups_resolved as (

    select * from {{ ref('int_identity__match_groups_resolved') }}

),

records_keyed as (

    select * from {{ ref('int_identity__records_keyed') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

judged as (

    select
        identifiers_screened.record_key,
        identifiers_screened.identifier_type,
        identifiers_screened.identifier_value,
        identifiers_screened.raw_value,
        identifiers_screened.observed_at,
        identifiers_screened.source_name,
        identifiers_screened.loaded_at,
        identifiers_screened.is_anonymous_record,
        coalesce(
            identifiers_screened.rejection_reason,
            identifier_values_measured.rejection_reason
        ) as rejection_reason,
        records_keyed.person_key,
        records_keyed.first_name_key,
        identifier_rules.may_merge,
        identifier_rules.match_on,
        coalesce(identifier_values_measured.person_key_count, 1) as person_key_count,
        identifiers_screened.identifier_type || ':' || identifiers_screened.identifier_value || ':'
            as value_key

    from identifiers_screened

    left join identifier_rules
        on identifiers_screened.identifier_type = identifier_rules.identifier_type

    left join identifier_values_measured
        on
            identifiers_screened.identifier_type = identifier_values_measured.identifier_type
            and identifiers_screened.identifier_value
            = identifier_values_measured.identifier_value

    left join records_keyed
        on identifiers_screened.record_key = records_keyed.record_key

),

grouped as (

    select
        judged.record_key,
        judged.identifier_type,
        judged.identifier_value,
        judged.raw_value,
        judged.observed_at,
        judged.source_name,
        judged.loaded_at,
        judged.is_anonymous_record,
        judged.rejection_reason,
        case
            when judged.rejection_reason is not null then null
            when not judged.may_merge or judged.is_anonymous_record then null
            when judged.person_key_count = 1 then judged.person_key
            -- A phone in two families and a record without a name: it may be anybody's.
            when
                judged.match_on = 'value_and_full_name'
                and judged.first_name_key is null
                and match_groups_resolved.holder_key = match_groups_resolved.group_key
                and group_sizes.holder_count = 1
                then null
            else substr(match_groups_resolved.group_key, length(judged.value_key) + 1)
        end as match_group

    from judged

    left join match_groups_resolved
        on
            judged.person_key_count > 1
            and judged.value_key || judged.person_key = match_groups_resolved.holder_key

    left join (
        select
            group_key,
            count(*) as holder_count
        from match_groups_resolved
        group by group_key
    ) as group_sizes
        on match_groups_resolved.group_key = group_sizes.group_key

)

select * from grouped
