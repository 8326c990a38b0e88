with

contacts as (

    select * from {{ ref('stg_crm__contacts') }}

),

account_versions as (

    select
        account_id,
        company_name,
        company_domain,
        coalesce(updated_at, loaded_at) as changed_at,
        loaded_at

    from {{ ref('stg_crm__accounts') }}

),

accounts as (

    {{ deduplicate(
        'account_versions',
        key='account_id',
        order_by=['changed_at desc', 'loaded_at desc'],
        content=['company_name', 'company_domain']
    ) }}

),

records as (

    select
        contacts.record_key,
        'crm' as source_name,
        'crm.contacts' as source_table,
        contacts.contact_id as native_id,
        false as is_anonymous,
        contacts.first_name,
        contacts.last_name,
        cast(null as {{ dbt.type_string() }}) as full_name,
        contacts.email,
        contacts.email_raw,
        contacts.is_email_verified,
        contacts.phone,
        contacts.phone_raw,
        contacts.birth_date,
        contacts.gender,
        contacts.street,
        contacts.postcode,
        contacts.city,
        contacts.country,
        contacts.language,
        accounts.company_name,
        accounts.company_domain,
        cast(null as {{ dbt.type_string() }}) as loyalty_tier,
        contacts.created_at,
        contacts.updated_at,
        contacts.loaded_at

    from contacts

    left join accounts
        on contacts.account_id = accounts.account_id

    where contacts.record_key is not null

)

select * from records
