with

records as (

    select * from {{ ref('customer_records') }}

    where not is_anonymous

),

emails as (

    select
        record_key,
        'email' as identifier_type,
        email as identifier_value,
        email_raw as raw_value,
        coalesce(created_at, loaded_at) as observed_at,
        source_name,
        loaded_at

    from records

    where email_raw is not null

),

phones as (

    select
        record_key,
        'phone' as identifier_type,
        phone as identifier_value,
        phone_raw as raw_value,
        coalesce(created_at, loaded_at) as observed_at,
        source_name,
        loaded_at

    from records

    where phone_raw is not null

)

select * from emails
union all
select * from phones
