-- How likely two forms are one person before anything is compared, in bits: against two strangers
-- (`match_odds`) and against two members of one household (`household_odds`). The shares of pairs
-- that the evidence speaks for, found by expectation maximisation: data full of duplicates need
-- less proof than data whose keys have found nearly all, data of families more.
{% set rounds = 10 %}

with

forms_weighed as (

    select
        evidence,
        household_evidence
    from {{ ref('int_identity__forms_weighed') }}

),

pair_count as (

    select
        cast(greatest(count(*), 2) as {{ type_double() }}) as form_count,
        cast(greatest(count(*), 2) as {{ type_double() }}) * (greatest(count(*), 2) - 1) / 2
            as pair_count
    from {{ ref('int_identity__forms_described') }}

),

-- Each form has one other of its person, and one of its household.
shares_0 as (

    select
        pair_count,
        form_count / (2 * pair_count) as match_share,
        form_count / (2 * pair_count) as household_share
    from pair_count

),

{% for round in range(rounds) -%}
odds_{{ round }} as (

    select
        pair_count,
        {{ bounded_match_odds('match_share', 'household_share') }}
    from shares_{{ round }}

),

shares_{{ round + 1 }} as (

    select
        max(pair_count) as pair_count,
        sum(1 / (1 + {{ odds_of_strangers() }} + {{ odds_of_household() }})) / max(pair_count)
            as match_share,
        sum({{ odds_of_household() }} / (1 + {{ odds_of_strangers() }} + {{ odds_of_household() }}))
        / max(pair_count) as household_share
    from odds_{{ round }}
    left join forms_weighed
        on forms_weighed.evidence is not null

),

{% endfor -%}
odds as (

    select {{ bounded_match_odds('match_share', 'household_share') }}
    from shares_{{ rounds }}

)

select
    match_odds,
    household_odds

from odds
