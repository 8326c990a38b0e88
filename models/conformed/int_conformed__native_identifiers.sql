with

records as (

    select * from {{ ref('customer_records') }}

),

native_identifiers as (

    select
        record_key,
        case source_table
            when 'crm.contacts' then 'crm_contact_id'
            when 'shop.customers' then 'shop_customer_id'
            when 'pos.members' then 'loyalty_id'
        end as identifier_type,
        native_id as identifier_value,
        native_id as raw_value,
        coalesce(created_at, loaded_at) as observed_at,
        source_name,
        loaded_at

    from records

    where source_table in ('crm.contacts', 'shop.customers', 'pos.members')

)

select * from native_identifiers
