-- What HubSpot is to hold of each champion. Column names are HubSpot's property names,
-- every value is text: what is here is what is sent and what is watched for change.

with

customers as (

    select * from {{ ref('customers') }}

),

scores as (

    select * from {{ ref('rfm_scores') }}

),

lifetime_values as (

    select * from {{ ref('customer_lifetime_value') }}

),

permitted as (

    {{ sync_rows('sync_hubspot__contacts', segment='champions') }}

),

addresses as (

    {{ permitted_addresses('sync_hubspot__contacts', 'email') }}

),

mapped as (

    select
        customers.customer_id as cdp_customer_id,
        addresses.address as email,
        customers.first_name as firstname,
        customers.last_name as lastname,
        customers.phone,
        customers.city,
        customers.country,
        'champions' as cdp_segment,
        cast(scores.rfm_segment as {{ dbt.type_string() }}) as cdp_rfm_segment,
        -- Whole units: a cent of change in a forecast is not worth a call per person.
        cast(
            cast(round(cast(lifetime_values.clv_12m as decimal(18, 2)), 0) as bigint)
            as {{ dbt.type_string() }}
        ) as cdp_clv_12m

    from permitted

    inner join customers
        on permitted.customer_id = customers.customer_id

    inner join addresses
        on permitted.customer_id = addresses.customer_id

    left join scores
        on permitted.customer_id = scores.customer_id

    left join lifetime_values
        on permitted.customer_id = lifetime_values.customer_id

)

select * from mapped
