-- Pairs of forms that may be one person: what speaks for it, and how likely it is.

with

forms_weighed as (

    select * from {{ ref('int_identity__forms_weighed') }}

),

match_odds_estimated as (

    select * from {{ ref('int_identity__match_odds_estimated') }}

),

scored as (

    select
        forms_weighed.*,
        forms_weighed.evidence + match_odds_estimated.match_odds as weight,
        {{ probability_of_one_person() }} as probability

    from forms_weighed

    cross join match_odds_estimated

)

select * from scored

where probability >= {{ var('identity_fuzzy_review_probability') }}
