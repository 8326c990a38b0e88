-- Which company each customer works for, by name or domain in the record, or by the domain of
-- the e-mail where a record of somebody else says that it is a company's. Where anybody gets a
-- mailbox is no company's, whatever a record says: it would take in every customer with one.

with

customer_records as (

    select * from {{ ref('customer_records') }}

    where not is_anonymous

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

identifiers_validated as (

    select * from {{ ref('int_identity__identifiers_validated') }}

    where
        rejection_reason is null
        and identifier_type = 'email'

),

free_mail_domains as (

    select * from {{ ref('free_mail_domains') }}

),

declared as (

    select
        customer_records.record_key,
        case
            when free_mail_domains.domain is null then lower(customer_records.company_domain)
        end as company_domain,
        {{ name_key('customer_records.company_name') }} as company_key,
        customer_records.company_name

    from customer_records

    left join free_mail_domains
        on lower(customer_records.company_domain) = free_mail_domains.domain

    where
        customer_records.company_domain is not null
        or customer_records.company_name is not null

),

-- A company without a domain is known by its name, unless a record knows both.
domains as (

    select
        company_key,
        {{ binary_min('company_domain') }} as company_domain

    from declared

    where
        company_key is not null
        and company_domain is not null

    group by company_key

    having count(distinct company_domain) = 1

),

by_record as (

    select
        declared.record_key,
        coalesce(declared.company_domain, domains.company_domain) as company_domain,
        declared.company_key,
        declared.company_name,
        'record' as evidence

    from declared

    left join domains
        on declared.company_key = domains.company_key

),

by_email as (

    select
        identifiers_validated.record_key,
        companies.company_domain,
        cast(null as {{ dbt.type_string() }}) as company_key,
        cast(null as {{ dbt.type_string() }}) as company_name,
        'email_domain' as evidence

    from identifiers_validated

    inner join (
        select distinct company_domain
        from declared
        where company_domain is not null
    ) as companies
        on {{ email_domain('identifiers_validated.identifier_value') }} = companies.company_domain

),

evidence as (

    select * from by_record
    union all
    select * from by_email

)

select
    customer_identities.customer_id,
    coalesce('domain:' || evidence.company_domain, 'name:' || evidence.company_key) as account_key,
    evidence.company_domain,
    evidence.company_name,
    evidence.evidence

from evidence

inner join customer_identities
    on evidence.record_key = customer_identities.record_key

where coalesce(evidence.company_domain, evidence.company_key) is not null
