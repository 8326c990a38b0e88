-- Can two persons who hold the same value be one? As match_on of the identifier's rule asks.

with

persons_compared as (

    select * from {{ ref('int_identity__persons_compared') }}

),

judged as (

    select
        identifier_type,
        identifier_value,
        left_person_key,
        right_person_key,
        case match_on
            -- The systems' own keys: only a full contradiction counts against them.
            when 'value'
                then
                    not (has_other_first_name and (has_other_birth_date or has_other_last_name))
            -- A family shares a mailbox, so another first name is another person, and so is the
            -- same one a generation apart: Jean and his son Jean.
            when 'value_and_first_name'
                then
                    not has_other_first_name
                    and not is_a_generation_apart
                    and not (has_other_last_name and has_other_birth_date)
                    and not (is_nameless and (has_other_last_name or has_other_birth_date))
            -- Father and son share a name and a phone, and a number goes on to strangers; near
            -- names are twins as often as typos.
            else
                not has_other_birth_date
                and not has_other_last_name
                and (is_nameless or has_equal_first_name or has_vague_first_name)
        end as is_same,
        is_nameless
        or (has_vague_first_name and not has_equal_first_name)
        or (match_on = 'value_and_full_name' and has_no_birth_date) as is_weak

    from persons_compared

)

select * from judged
