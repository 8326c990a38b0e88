with

account_evidence as (

    select * from {{ ref('int_identity__account_evidence') }}

),

accounts as (

    select
        substr({{ sha256_hex("'account:' || account_key") }}, 1, 32) as account_id,
        max(company_domain) as company_domain,
        {{ binary_min('company_name') }} as company_name,
        count(distinct customer_id) as customer_count

    from account_evidence

    group by account_key

)

select * from accounts
