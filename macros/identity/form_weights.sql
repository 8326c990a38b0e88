{# Two columns per comparison from its level: `_weight`, the evidence in bits for one person
   against two strangers, and `_household_weight`, against two members of one household. Null
   where nothing was compared. `compared` has the levels of form_levels and the rarities of the
   left form; `bits` is the one row of log_weights. #}
{% macro form_weights() -%}
    {%- for name, comparison in form_comparisons().items() %}
    {%- set outer = loop %}
    {%- for kind in ['weight', 'household_weight'] %}
    case
        {%- if name == 'birth_date' and kind == 'household_weight' %}
        when {{ are_twins_at_home() }} then 0
        {%- endif %}
        {%- if name == 'last_name' and kind == 'household_weight' %}
        -- A slip in the surname makes no twins one person: Fontleer and Fontlier would have 2.3
        -- bits for it, where two of the name Fontlier have 0.3 against.
        when
            compared.last_name_level in ('{{ one_surname()[1:] | join("', '") }}')
            and {{ are_twins_at_home() }}
            then
                case
                    {%- for level in one_surname()[1:] %}
                    when compared.last_name_level = '{{ level }}'
                        then least(
                            bits.last_name_{{ level }}_household_weight,
                            bits.last_name_equal_household_weight
                        )
                    {%- endfor %}
                end
        {%- endif %}
        {%- for level in comparison.levels %}
        when compared.{{ name }}_level = '{{ level.level }}'
            then bits.{{ name }}_{{ level.level }}_{{ kind }}
            {%- if level.term and kind == 'weight' %} + compared.{{ level.term }}_rarity{% endif %}
        {%- endfor %}
        when compared.{{ name }}_level = 'other' then bits.{{ name }}_other_{{ kind }}
    end as {{ name }}_{{ kind }}{{ ',' if not (loop.last and outer.last) }}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{# Levels of last_name that two members of one family reach: theirs is one surname, well or badly
   written. #}
{% macro one_surname() -%}
    {% do return(['equal', 'near', 'similar']) %}
{%- endmacro %}

{# Another first name with the same birth date in one family is a twin, and so it is where one of
   the two surnames has a slip. #}
{% macro are_twins_at_home() -%}
    (
        compared.first_name_level = 'other'
        and compared.birth_date_level = 'equal'
        and compared.last_name_level in ('{{ one_surname() | join("', '") }}')
        and (
            compared.address_level = 'same_home'
            or compared.phone_level = 'equal'
            or compared.email_level = 'equal'
        )
    )
{%- endmacro %}

{# The weights as one row, in bits. A level with a term has log2(m) alone: its rarity takes the place
   of u. #}
{% macro log_weights() -%}
    select
        {%- for name, comparison in form_comparisons().items() %}
        {%- set outer = loop %}
        {%- for level in comparison.levels + [{'level': 'other', 'term': none}] %}
        {%- set column = name ~ '_' ~ level.level %}
        {%- set matches = "comparison = '" ~ name ~ "' and level = '" ~ level.level ~ "'" %}
        max(case when {{ matches }} then {{ log2_of('m') }}{% if not level.term %} - {{ log2_of('u') }}{% endif %} end)
            as {{ column }}_weight,
        max(case when {{ matches }} then {{ log2_of('m') }} - {{ log2_of('u_household') }} end)
            as {{ column }}_household_weight
        {{- ',' if not (loop.last and outer.last) }}
        {%- endfor %}
        {%- endfor %}
    from {{ ref('int_identity__weights_measured') }}
{%- endmacro %}

{% macro log2_of(expr) -%}
    ln({{ expr }}) / ln(cast(2 as {{ type_double() }}))
{%- endmacro %}
