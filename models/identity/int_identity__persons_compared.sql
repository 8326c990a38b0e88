-- Where two persons who hold the same value agree, are vague or contradict each other. Every
-- has_ and is_ column is true or false, never null: what is missing speaks against nobody.

with

persons_paired as (

    select * from {{ ref('int_identity__persons_paired') }}

),

names_aliased as (

    select * from {{ ref('int_identity__names_aliased') }}

),

aligned as (

    select
        persons_paired.*,
        {{ common_prefix_length('left_first', 'right_first') }} as first_prefix,
        {{ common_prefix_length('left_last', 'right_last') }} as last_prefix,
        names_aliased.left_name is not null as is_alias,
        -- First and last name in each other's column, or cut at another place.
        coalesce(
            left_first || left_last in (right_last || right_first, right_first || right_last),
            false
        ) as has_swapped_names

    from persons_paired

    left join names_aliased
        on
            persons_paired.left_first = names_aliased.left_name
            and persons_paired.right_first = names_aliased.right_name

),

spelled as (

    select
        *,
        left_first is null or right_first is null as is_nameless,
        coalesce(left_first = right_first, false) or has_swapped_names as has_equal_first_name,
        coalesce(
            is_alias
            or ((length(left_first) = 1 or length(right_first) = 1) and first_prefix >= 1)
            -- Max and Maximilien, Jean and Jean-Pierre; not Louis and Louise.
            or (
                first_prefix >= 3
                and first_prefix in (length(left_first), length(right_first))
                and abs(length(left_first) - length(right_first)) >= 3
            ),
            false
        ) as has_vague_first_name,
        coalesce(
            length(left_first) >= 3
            and length(right_first) >= 3
            and {{ is_one_edit_apart('left_first', 'right_first', 'first_prefix') }},
            false
        ) as has_typo,
        coalesce(
            {{ is_one_slip_apart('left_first', 'right_first', 'first_prefix') }}, false
        ) as has_slip,
        -- Louis and Louise, Mario and Maria: an ending that tells two persons apart.
        coalesce(
            first_prefix + 1 >= length(left_first)
            and first_prefix + 1 >= length(right_first)
            and (first_prefix = length(left_first) or {{ ends_in_vowel('left_first') }})
            and (first_prefix = length(right_first) or {{ ends_in_vowel('right_first') }})
            and coalesce(left_gender != right_gender, true),
            false
        ) as has_other_ending,
        coalesce(left_gender != right_gender, false) as has_other_gender,
        coalesce(
            left_last != right_last
            and not has_swapped_names
            -- Lefevre and Lefevre-Martin, or one letter.
            and not (
                last_prefix >= 4
                and last_prefix in (length(left_last), length(right_last))
            )
            and not (
                length(left_last) >= 4
                and length(right_last) >= 4
                and {{ is_one_edit_apart('left_last', 'right_last', 'last_prefix') }}
            ),
            false
        ) as has_other_last_name,
        coalesce(left_birth_date = right_birth_date, false) as has_equal_birth_date,
        coalesce(
            not {{ birth_dates_agree('left_birth_date', 'right_birth_date') }}, false
        ) as has_other_birth_date,
        coalesce(
            {{ are_births_a_generation_apart('left_birth_date', 'right_birth_date') }}, false
        ) as is_a_generation_apart,
        left_birth_date is null or right_birth_date is null as has_no_birth_date

    from aligned

),

compared as (

    select
        *,
        not(
            is_nameless
            or has_equal_first_name
            or has_vague_first_name
            -- A letter is a typo when the birth dates are equal, when it is a slip that no two
            -- names differ by, or when the name is long (Lina and Lila are two persons).
            or (
                has_typo
                and (
                    has_equal_birth_date
                    or (
                        not has_other_gender
                        and not has_other_ending
                        and (has_slip or (length(left_first) >= 5 and length(right_first) >= 5))
                    )
                )
            )
        ) as has_other_first_name

    from spelled

)

select * from compared
