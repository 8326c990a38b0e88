{{ config(materialized='view') }}

-- Rows of the ledger of people who were erased and whom the destination no longer holds. Hashes of
-- what was sent can confirm a guess, so of them the key alone is kept: that they are gone.

with

suppressions as (

    select * from {{ ref('customer_suppressions') }}

),

erased_customers as (

    select customer_id

    from (
        {{ for_former_ids('suppressions') }}
    ) as suppressed

    where reason = 'erasure'

),

known_rows as (

    select
        sync_name,
        row_key,
        max(customer_id) as customer_id

    from {{ source('state', 'sync_ledger') }}

    where row_hash is not null or field_hashes is not null or remote_id is not null

    group by sync_name, row_key

),

to_forget as (

    select
        known_rows.sync_name,
        known_rows.row_key

    from known_rows

    inner join erased_customers
        on coalesce(known_rows.customer_id, known_rows.row_key) = erased_customers.customer_id

    left join {{ ref('sync_ledger_current') }} as ledger
        on
            known_rows.sync_name = ledger.sync_name
            and known_rows.row_key = ledger.row_key

    where
        not coalesce(ledger.is_held, false)
        and not coalesce(ledger.is_uncertain, false)
        -- Who was only taken out is still to be erased over there.
        and (
            coalesce(ledger.delivered_action, 'upsert') != 'remove'
            or ledger.delivered_reason = 'erasure'
        )

)

select * from to_forget
