{# Every column of `pairs` (it has left_form_id and right_form_id) with the level that each
   comparison of its two forms reaches, and the rarity of what they share. #}
{% macro compare_forms(pairs, forms) -%}
    select
        pairs.*,
        {%- for term in form_terms() %}
        least(l.{{ term }}_rarity, r.{{ term }}_rarity) as {{ term }}_rarity,
        {%- endfor %}
        {{ form_levels() }}
    from {{ pairs }} as pairs
    inner join {{ forms }} as l on pairs.left_form_id = l.form_id
    inner join {{ forms }} as r on pairs.right_form_id = r.form_id
    {{ computed_once() }}
{%- endmacro %}

{# The same with the weights of the levels. #}
{% macro weigh_forms(pairs, forms) -%}
    select
        compared.*,
        {{ form_weights() }}
    from ({{ compare_forms(pairs, forms) }}) as compared
    cross join ({{ log_weights() }}) as bits
    {{ computed_once() }}
{%- endmacro %}
