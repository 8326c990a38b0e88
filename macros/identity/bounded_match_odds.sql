{# Odds in bits from the shares of matches and of household members among all pairs. Ten forms are no
   basis for a share: matches are never thought above one pair in a hundred, and neither kind
   more than sixteen times as frequent as the other. #}
{% macro bounded_match_odds(match_share, household_share) -%}
    {%- set bounded_share = 'least(greatest(coalesce(' ~ match_share ~ ', 0), 0.000000001), 0.01)' -%}
    {%- set bounded_household_share = 'greatest(coalesce(' ~ household_share ~ ', 0), 0.000000001)' -%}
    {{ log2_of(bounded_share) }} as match_odds,
    greatest(least({{ log2_of(bounded_share ~ ' / ' ~ bounded_household_share) }}, 4), -4)
        as household_odds
{%- endmacro %}
