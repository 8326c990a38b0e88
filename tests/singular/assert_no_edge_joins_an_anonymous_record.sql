-- Known people are joined by what they said about themselves, never by a browser or device.
{{ config(meta={'dagster': {'ref': {'name': 'int_identity__edges_matched'}}}) }}

with

ends as (

    select left_record_key as record_key from {{ ref('int_identity__edges_matched') }}
    union
    select right_record_key as record_key from {{ ref('int_identity__edges_matched') }}

)

select ends.record_key

from ends

inner join {{ ref('customer_records') }} as customer_records
    on ends.record_key = customer_records.record_key

where customer_records.is_anonymous
