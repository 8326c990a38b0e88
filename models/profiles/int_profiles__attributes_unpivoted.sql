-- One scan of the records, whatever the number of attributes: each record meets the
-- rules, one per attribute group, and keeps those it has a value for.

{% set groups = attribute_groups() %}
{% set text = dbt.type_string() %}

with

records as (

    select * from {{ ref('customer_records') }}

),

identities as (

    select * from {{ ref('customer_identities') }}

),

identifiers as (

    select * from {{ ref('customer_identifiers') }}

),

rules as (

    select * from {{ ref('survivorship_rules') }}

),

known_records as (

    select
        identities.customer_id,
        records.record_key,
        records.source_name,
        -- A source that writes future dates would win every "most recent" for ever.
        case
            when coalesce(records.updated_at, records.created_at) > records.loaded_at
                then records.loaded_at
            else coalesce(records.updated_at, records.created_at)
        end as observed_at,
        coalesce(records.is_email_verified, false) as is_email_verified,
        -- Junk and shared contact points are no identifiers, and no golden values either.
        emails.identifier_value as email,
        phones.identifier_value as phone
        {%- for column in groups.values() | sum(start=[]) if column not in ('email', 'phone') %}
            ,
            cast(records.{{ column }} as {{ text }}) as {{ column }}
    
            {%- endfor %}

    from records

    inner join identities
        on records.record_key = identities.record_key

    left join identifiers as emails
        on
            identities.customer_id = emails.customer_id
            and records.email = emails.identifier_value
            and emails.identifier_type = 'email'

    left join identifiers as phones
        on
            identities.customer_id = phones.customer_id
            and records.phone = phones.identifier_value
            and phones.identifier_type = 'phone'

    where
        not records.is_anonymous
        and not identities.is_anonymous

),

unpivoted as (

    select
        known_records.customer_id,
        rules.attribute_group,
        known_records.record_key,
        known_records.source_name,
        known_records.observed_at,
        rules.first_strategy,
        rules.second_strategy,
        rules.third_strategy,
        rules.attribute_group = 'email' and known_records.is_email_verified as is_verified
        {%- for position in range(4) %}
            ,
            case rules.attribute_group
                {%- for group, columns in groups.items() if columns | length > position %}
                    when '{{ group }}' then known_records.{{ columns[position] }}
                {%- endfor %}
            end as value_{{ position + 1 }}
    
            {%- endfor %}

    from known_records

    cross join rules

),

valued as (

    select
        *,
        -- Spellings that differ in case only are one value.
        {{ lower_text(
            "coalesce(value_1, '') || '|' || coalesce(value_2, '')" ~
            " || '|' || coalesce(value_3, '') || '|' || coalesce(value_4, '')"
        ) }} as value_key

    from unpivoted

    where coalesce(value_1, value_2, value_3, value_4) is not null

)

select * from valued
