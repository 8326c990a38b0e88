-- What is compared to tell persons apart. Keys are computed once per distinct name, because
-- millions of records share a few ten thousand names.

with

customer_records as (

    select * from {{ ref('customer_records') }}

),

known as (

    select
        record_key,
        -- "Lefèvre, Chloé" or "Chloé Lefèvre", where a source has one column only. Other orders
        -- are tolerated when names are compared.
        coalesce(
            first_name,
            case
                when full_name like '%,%' then {{ dbt.split_part('full_name', "','", 2) }}
                else {{ dbt.split_part('trim(full_name)', "' '", 1) }}
            end
        ) as first_name,
        coalesce(
            last_name,
            case
                when first_name is not null then null
                when full_name like '%,%' then {{ dbt.split_part('full_name', "','", 1) }}
                else
                    substr(
                        trim(full_name),
                        length({{ dbt.split_part('trim(full_name)', "' '", 1) }}) + 2
                    )
            end
        ) as last_name,
        birth_date,
        case when gender in ('f', 'm') then gender end as gender

    from customer_records

    where not is_anonymous

),

names as (

    select first_name as spelled from known
    union
    select last_name as spelled from known

),

names_keyed as (

    select
        spelled,
        {{ name_key('spelled') }} as name_key

    from names

),

keyed as (

    select
        known.record_key,
        first_names.name_key as first_name_key,
        last_names.name_key as last_name_key,
        known.birth_date,
        known.gender

    from known

    left join names_keyed as first_names
        on known.first_name = first_names.spelled

    left join names_keyed as last_names
        on known.last_name = last_names.spelled

),

persons as (

    select
        record_key,
        first_name_key,
        last_name_key,
        birth_date,
        gender,
        coalesce(first_name_key, '') || '|' || coalesce(last_name_key, '') as name_pair,
        {{ dbt.hash(
            "coalesce(first_name_key, '') || '|' || coalesce(last_name_key, '') || '|' || "
            ~ "coalesce(cast(birth_date as " ~ dbt.type_string() ~ "), '') || '|' || "
            ~ "coalesce(gender, '')"
        ) }} as person_key

    from keyed

)

select * from persons
