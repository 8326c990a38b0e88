{% macro persons_contradict(one, other) -%}
    (
        -- Birth dates alone speak against a phone; against an e-mail or a card only together
        -- with the first name, or where a generation lies between: Jean, born in 1955, and his
        -- son Jean, born in 1985, have the mailbox of the family. A key of a system is one's own.
        (
            not {{ birth_dates_agree(one ~ '.birth_date', other ~ '.birth_date') }}
            and (
                not coalesce(identifier_rules.is_strong, false)
                or (
                    identifier_rules.match_on != 'value'
                    and {{ are_births_a_generation_apart(
                        one ~ '.birth_date', other ~ '.birth_date'
                    ) }}
                )
                or (
                    names_aliased.left_name is null
                    and not {{ first_names_agree(
                        one ~ '.first_name_key', other ~ '.first_name_key'
                    ) }}
                )
            )
        )
        or {{ sexes_contradict(one, other) }}
    )
{%- endmacro %}

{# Louis and Louise, whom a record of an "L." would join. A sex entered wrongly beside the same
   name, a short form or an initial speaks against nobody. #}
{% macro sexes_contradict(one, other) -%}
    (
        {{ one }}.gender != {{ other }}.gender
        and {{ one }}.first_name_key != {{ other }}.first_name_key
        and names_aliased.left_name is null
        and length({{ one }}.first_name_key) > 1
        and length({{ other }}.first_name_key) > 1
    )
{%- endmacro %}
