{# The guards: which of the proposed groups cannot be one person, and why. `proposals` has
   node_key, label (the group so far) and group_key (the group proposed). Only what comes
   together by the proposal counts; priority 0 are decisions of people, which only another
   decision contradicts. #}
{% macro identity_violations(proposals, priority, are_weighed=false) %}
    with

    grown as (

        select group_key from {{ proposals }} group by group_key having count(distinct label) > 1

    ),

    members as (

        select
            proposals.group_key,
            proposals.label,
            proposals.node_key as record_key,
            records_keyed.first_name_key,
            records_keyed.birth_date

        from {{ proposals }} as proposals

        inner join grown
            on proposals.group_key = grown.group_key

        inner join {{ ref('int_identity__records_keyed') }} as records_keyed
            on proposals.node_key = records_keyed.record_key

    )

    select distinct
        one.group_key,
        'decided_apart' as reason

    from {{ ref('int_identity__decisions_listed') }} as decisions

    inner join members as one
        on decisions.left_record_key = one.record_key

    inner join members as other
        on
            decisions.right_record_key = other.record_key
            and one.group_key = other.group_key

    where
        decisions.is_in_force
        and decisions.decision = 'different'

    {% if priority > 0 %}
    union all

    select
        group_key,
        'too_many_records' as reason

    from members

    group by group_key

    having count(*) > {{ var('identity_max_records_per_customer') }}

    union all

    select
        group_key,
        'too_many_values' as reason

    from ({{ groups_with_too_many_values('members', 'group_key') }}) as overloaded
    {% endif %}

    {% if priority > 0 and not are_weighed %}
    union all

    select distinct
        one.group_key,
        'persons_contradict' as reason

    from (select distinct group_key, label, first_name_key, birth_date from members) as one

    inner join (select distinct group_key, label, first_name_key, birth_date from members) as other
        on
            one.group_key = other.group_key
            and one.label < other.label

    left join {{ ref('int_identity__names_aliased') }} as names_aliased
        on
            one.first_name_key = names_aliased.left_name
            and other.first_name_key = names_aliased.right_name

    left join {{ ref('identifier_rules') }} as identifier_rules
        on identifier_rules.priority = {{ priority }}

    where
        not {{ birth_dates_agree('one.birth_date', 'other.birth_date') }}
        -- Birth dates alone speak against a phone; against an e-mail or a card only together
        -- with the first name.
        and (
            not coalesce(identifier_rules.is_strong, false)
            or (
                names_aliased.left_name is null
                and not {{ first_names_agree('one.first_name_key', 'other.first_name_key') }}
            )
        )
    {% endif %}
{% endmacro %}
