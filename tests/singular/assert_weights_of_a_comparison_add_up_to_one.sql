-- Two forms reach exactly one level of a comparison, be they of one person, of strangers or of
-- two members of one household.
with

identity_weights as (

    select * from {{ ref('identity_weights') }}

),

added as (

    select
        comparison,
        sum(m) as m,
        sum(u) as u,
        sum(u_household) as u_household

    from identity_weights

    group by comparison

)

select *

from added

where
    abs(m - 1) > 0.001
    or abs(u - 1) > 0.001
    or abs(u_household - 1) > 0.001
