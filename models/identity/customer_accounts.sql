with

account_evidence as (

    select * from {{ ref('int_identity__account_evidence') }}

),

memberships as (

    select
        customer_id,
        substr({{ sha256_hex("'account:' || account_key") }}, 1, 32) as account_id,
        -- What the record says is worth more than the e-mail's domain: r comes after e.
        max(evidence) as evidence

    from account_evidence

    group by
        customer_id,
        account_key

)

select * from memberships
