{# Every column of `pairs` (it has left_form_id and right_form_id) with the level that each
   comparison reaches and its weights. #}
{% macro weigh_forms(pairs, forms) -%}
    select
        compared.*,
        {{ form_weights() }}

    from (
        select
            pairs.*,
            {%- for term in form_terms() %}
            least(l.{{ term }}_rarity, r.{{ term }}_rarity) as {{ term }}_rarity,
            {%- endfor %}
            {{ form_levels() }}
        from {{ pairs }} as pairs
        inner join {{ forms }} as l on pairs.left_form_id = l.form_id
        inner join {{ forms }} as r on pairs.right_form_id = r.form_id
    ) as compared

    cross join ({{ log_weights() }}) as bits
{%- endmacro %}
