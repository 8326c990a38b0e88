-- Identifiers judged one by one: does the value look like its type and name somebody?

{% set patterns = identifier_patterns() %}

with

record_identifiers as (

    select * from {{ ref('record_identifiers') }}

),

customer_records as (

    select * from {{ ref('customer_records') }}

),

identifier_rules as (

    select * from {{ ref('identifier_rules') }}

),

junk_identifiers as (

    select * from {{ ref('junk_identifiers') }}

),

detachments as (

    select * from {{ ref('int_identity__decisions_listed') }}

    where
        is_in_force
        and decision = 'detach'

),

probed as (

    select
        record_identifiers.record_key,
        record_identifiers.identifier_type,
        record_identifiers.identifier_value,
        record_identifiers.raw_value,
        record_identifiers.observed_at,
        record_identifiers.source_name,
        record_identifiers.loaded_at,
        customer_records.is_anonymous as is_anonymous_record,
        lower(record_identifiers.identifier_value) as probe,
        case
            when record_identifiers.identifier_type = 'email' then
                {{ dbt.split_part('lower(record_identifiers.identifier_value)', "'@'", 1) }}
        end as local_part,
        case
            when record_identifiers.identifier_type = 'email' then
                {{ dbt.split_part('lower(record_identifiers.identifier_value)', "'@'", 2) }}
        end as domain,
        case
            when record_identifiers.identifier_type = 'phone' then
                {{ dbt.right('record_identifiers.identifier_value', 8) }}
        end as last_8_digits

    from record_identifiers

    inner join customer_records
        on record_identifiers.record_key = customer_records.record_key

),

screened as (

    select
        probed.record_key,
        probed.identifier_type,
        probed.identifier_value,
        probed.raw_value,
        probed.observed_at,
        probed.source_name,
        probed.loaded_at,
        probed.is_anonymous_record,
        case
            when identifier_rules.identifier_type is null then 'unknown_type'
            when probed.identifier_value is null or trim(probed.identifier_value) = ''
                then 'malformed'
            {% for rule in patterns | selectattr('kind', 'equalto', 'valid') -%}
                when
                    probed.identifier_type = '{{ rule.identifier_type }}'
                    and not {{ regexp_matches('probed.identifier_value', rule.pattern) }}
                    then 'malformed'
            {% endfor -%}
            when detachments.decision is not null then 'detached'
            -- The word itself cannot stand in a seed: dbt loads it as a missing value.
            when probed.probe = 'null' then 'junk'
            {% for kind in ['exact', 'local_part', 'domain', 'last_8_digits'] -%}
                when {{ kind }}_junk.pattern is not null then 'junk'
            {% endfor -%}
            {% for junk in patterns | selectattr('kind', 'equalto', 'junk') -%}
                when
                    {% if junk.identifier_type != 'any' -%}
                        probed.identifier_type = '{{ junk.identifier_type }}' and
                    {%- endif %}
                    {{ regexp_matches('probed.probe', junk.pattern) }}
                    then 'junk'
            {% endfor -%}
        end as rejection_reason

    from probed

    left join identifier_rules
        on probed.identifier_type = identifier_rules.identifier_type

    left join detachments
        on
            probed.record_key = detachments.record_key
            and probed.identifier_type = detachments.identifier_type
            and {{ sha256_hex('probed.identifier_value') }} = detachments.value_hash

    {% for kind in ['exact', 'local_part', 'domain', 'last_8_digits'] -%}
        left join (
            select distinct
                identifier_type,
                lower(pattern) as pattern
            from junk_identifiers
            where pattern_kind = '{{ kind }}'
        ) as {{ kind }}_junk
            on
                probed.{{ 'probe' if kind == 'exact' else kind }} = {{ kind }}_junk.pattern
                and {{ kind }}_junk.identifier_type in ('any', probed.identifier_type)

    {% endfor %}
)

select * from screened
