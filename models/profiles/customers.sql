{% set groups = attribute_groups() %}

with

ranked as (

    select * from {{ ref('int_profiles__attributes_ranked') }}

),

known_customers as (

    select * from {{ ref('int_profiles__records_summarised') }}

),

identifiers as (

    select * from {{ ref('customer_identifiers') }}

),

traits as (

    select * from {{ ref('customer_traits') }}

),

postcodes as (

    select * from {{ ref('enrichment_postcodes') }}

),

persons as (

    select * from {{ ref('enrichment_persons') }}

),

golden as (

    select
        customer_id,
        max(
            case when attribute_group = 'email' and is_value_verified then 1 else 0 end
        ) = 1 as is_email_verified
        {%- for group, columns in groups.items() %}{% for column in columns %}
            ,
            max(
                case when attribute_group = '{{ group }}' then value_{{ loop.index }} end
            ) as {{ column }}
            
            {%- endfor %}
            {% endfor %}

    from ranked

    where survivorship_rank = 1

    group by customer_id

),

contact_points as (

    select
        customer_id,
        sum(case when identifier_type = 'email' then 1 else 0 end) as email_count,
        sum(case when identifier_type = 'phone' then 1 else 0 end) as phone_count

    from identifiers

    group by customer_id

),

profiled as (

    select
        known_customers.customer_id,
        golden.first_name,
        golden.last_name,
        coalesce(
            golden.full_name,
            nullif(trim(
                coalesce(golden.first_name, '') || ' ' || coalesce(golden.last_name, '')
            ), '')
        ) as full_name,
        golden.email,
        coalesce(golden.is_email_verified, false) as is_email_verified,
        golden.phone,
        cast(golden.birth_date as date) as birth_date,
        golden.gender,
        golden.street,
        golden.postcode,
        golden.city,
        golden.country,
        golden.language,
        golden.company_name,
        golden.loyalty_tier,
        cast(coalesce(contact_points.email_count, 0) as {{ dbt.type_bigint() }}) as email_count,
        cast(coalesce(contact_points.phone_count, 0) as {{ dbt.type_bigint() }}) as phone_count,
        postcodes.income_band,
        persons.life_stage,
        known_customers.first_seen_at,
        known_customers.last_seen_at,
        known_customers.record_count,
        known_customers.source_count,
        known_customers.sources,
        traits.last_activity_at

    from known_customers

    left join golden
        on known_customers.customer_id = golden.customer_id

    left join contact_points
        on known_customers.customer_id = contact_points.customer_id

    left join traits
        on known_customers.customer_id = traits.customer_id

    left join postcodes
        on
            golden.country = postcodes.country
            and golden.postcode = postcodes.postcode

    left join persons
        on {{ sha256_hex('golden.email') }} = persons.email_sha256

)

select * from profiled
