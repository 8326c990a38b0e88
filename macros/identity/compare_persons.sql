{# One select over pairs of persons. Every has_ and is_ column is true or false, never null:
   what is missing never speaks against anybody. #}
{% macro compare_persons(pairs) %}
    select
        pairs_spelled.*,
        is_nameless_pair as is_nameless,
        not is_nameless_pair
        and is_equal_first as has_equal_first_name,
        not is_nameless_pair
        and not is_equal_first
        and (is_alias or is_initial or is_short_form) as is_vague_first_name,
        not is_nameless_pair
        and not is_equal_first
        and not is_alias and not is_initial and not is_short_form
        and not (is_typo and (birth_dates_equal or is_safe_typo)) as has_other_first_name,
        has_other_last
        and not has_swapped_names as has_other_last_name,
        coalesce(
            not {{ birth_dates_agree('left_birth_date', 'right_birth_date') }}, false
        ) as has_other_birth_date,
        left_birth_date is null or right_birth_date is null as has_no_birth_date

    from (

        select
            pairs_measured.*,
            left_first is null or right_first is null as is_nameless_pair,
            coalesce(left_first = right_first, false) or has_swapped_names as is_equal_first,
            coalesce(left_birth_date = right_birth_date, false) as birth_dates_equal,
            coalesce(
                (length(left_first) = 1 or length(right_first) = 1)
                and first_prefix >= 1,
                false
            ) as is_initial,
            -- Max and Maximilien, Jean and Jean-Pierre; not Louis and Louise.
            coalesce(
                first_prefix >= 3
                and first_prefix in (length(left_first), length(right_first))
                and abs(length(left_first) - length(right_first)) >= 3,
                false
            ) as is_short_form,
            coalesce(
                length(left_first) >= 3 and length(right_first) >= 3
                and {{ is_one_edit_apart('left_first', 'right_first', 'first_prefix') }},
                false
            ) as is_typo,
            -- Without an equal birth date a letter may tell two persons apart: short names
            -- (Lina, Lila), another gender, another ending (Louis, Louise; Mario, Maria).
            coalesce(
                length(left_first) >= 5 and length(right_first) >= 5
                and not coalesce(has_other_gender, false)
                and not (
                    first_prefix + 1 >= length(left_first)
                    and first_prefix + 1 >= length(right_first)
                    and ({{ ends_in_vowel('left_first') }} or length(left_first) = first_prefix)
                    and ({{ ends_in_vowel('right_first') }} or length(right_first) = first_prefix)
                ),
                false
            ) as is_safe_typo,
            coalesce(
                left_last != right_last
                -- Lefevre and Lefevre-Martin, or one letter.
                and not (
                    last_prefix >= 4
                    and last_prefix in (length(left_last), length(right_last))
                )
                and not (
                    length(left_last) >= 4 and length(right_last) >= 4
                    and {{ is_one_edit_apart('left_last', 'right_last', 'last_prefix') }}
                ),
                false
            ) as has_other_last

        from (

            select
                pairs.*,
                {{ common_prefix_length('left_first', 'right_first') }} as first_prefix,
                {{ common_prefix_length('left_last', 'right_last') }} as last_prefix,
                aliases.left_name is not null as is_alias,
                -- First and last name in each other's column, or cut at another place.
                coalesce(
                    left_first || left_last = right_last || right_first
                    or left_first || left_last = right_first || right_last,
                    false
                ) as has_swapped_names

            from {{ pairs }} as pairs

            left join {{ ref('int_identity__names_aliased') }} as aliases
                on
                    pairs.left_first = aliases.left_name
                    and pairs.right_first = aliases.right_name

        ) as pairs_measured

    ) as pairs_spelled
{% endmacro %}

{% macro ends_in_vowel(column) -%}
    substr({{ column }}, length({{ column }}), 1) in ('a', 'e', 'i', 'o', 'u', 'y')
{%- endmacro %}
