{# The evidence as a whole, from one row per candidate with the weights of form_weights (of a pair,
   or the means of two groups). Bits for one person against two strangers (`evidence`), and against
   two members of one household (`household_evidence`). #}
{% macro add_up_weights(weighed) -%}
    select
        weighed.*,
        {%- for kind, total in [('weight', 'evidence'), ('household_weight', 'household_evidence')] %}
        {% for name in form_comparisons() -%}
        coalesce(weighed.{{ name }}_{{ kind }}, 0){{ ' + ' if not loop.last }}
        {%- endfor %} as {{ total }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ weighed }} as weighed
{%- endmacro %}

{# Probability of one person, from the totals of add_up_weights and the row of
   match_odds_estimated. #}
{% macro probability_of_one_person() -%}
    1 / (1 + {{ odds_of_strangers() }} + {{ odds_of_household() }})
{%- endmacro %}

{# Against one person. #}
{% macro odds_of_strangers() -%}
    {{ exp_clamped('-(evidence + match_odds) * ln(2.0)') }}
{%- endmacro %}

{% macro odds_of_household() -%}
    {{ exp_clamped('-(household_evidence + household_odds) * ln(2.0)') }}
{%- endmacro %}
