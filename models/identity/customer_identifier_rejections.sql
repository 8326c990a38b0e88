-- Why an identifier of a record is no key. The value as a hash: the audit is read by people
-- who need not see it.

with

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where rejection_reason is not null

),

rejections as (

    select
        record_key,
        identifier_type,
        {{ sha256_hex('coalesce(identifier_value, raw_value)') }} as value_hash,
        rejection_reason as reason

    from identifiers_validated

)

select * from rejections
