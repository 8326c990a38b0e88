-- Every record is in customer_identities once, and nothing else is.
{{ config(meta={'dagster': {'ref': {'name': 'customer_identities'}}}) }}

with

customer_records as (

    select * from {{ ref('customer_records') }}

),

customer_identities as (

    select
        record_key,
        count(*) as row_count

    from {{ ref('customer_identities') }}

    group by record_key

)

select
    coalesce(customer_records.record_key, customer_identities.record_key) as record_key,
    customer_identities.row_count

from customer_records

full outer join customer_identities
    on customer_records.record_key = customer_identities.record_key

where
    customer_records.record_key is null
    or customer_identities.record_key is null
    or customer_identities.row_count != 1
