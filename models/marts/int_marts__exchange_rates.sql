-- Rates are kept against the euro; crossing them gives any reporting currency.
with

rates as (

    select * from {{ ref('exchange_rates') }}

),

reporting as (

    select * from rates

    where currency = '{{ var("reporting_currency") }}'

),

crossed as (

    select
        rates.currency,
        greatest(rates.valid_from, reporting.valid_from) as valid_from,
        least(rates.valid_until, reporting.valid_until) as valid_until,
        case
            when rates.currency = reporting.currency then cast(1 as decimal(18, 8))
            else cast(rates.euros_per_unit / reporting.euros_per_unit as decimal(18, 8))
        end as rate

    from rates

    inner join reporting
        on
            rates.valid_from < reporting.valid_until
            and reporting.valid_from < rates.valid_until
            -- A period of the same currency meets only itself.
            and (
                rates.currency != reporting.currency
                or rates.valid_from = reporting.valid_from
            )

)

select * from crossed
