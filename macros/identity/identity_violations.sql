{# The guards: which of the proposed groups cannot be one person, why, and the part of it that is
   to be left out (null: none of it may join). Only what comes together by the proposal counts;
   priority 0 are decisions of people, which only another decision contradicts. `are_weighed`: how
   well names and birth dates agree was weighed already. `decided`: who was told from one of the
   records that decisions make one was told from all of them. #}
{% macro identity_violations(proposals, priority, are_weighed=false, decided=none) %}
    {% set text = dbt.type_string() %}
    with

    grown as (

        select group_key from {{ proposals }} group by group_key having count(distinct label) > 1

    ),

    members as (

        select
            proposals.group_key,
            proposals.label,
            proposals.node_key as record_key,
            {{ 'coalesce(decided.label, proposals.node_key)' if decided else 'proposals.node_key' }}
                as decided_key,
            records_keyed.first_name_key,
            records_keyed.birth_date,
            records_keyed.gender

        from {{ proposals }} as proposals

        inner join grown
            on proposals.group_key = grown.group_key

        inner join {{ ref('int_identity__records_keyed') }} as records_keyed
            on proposals.node_key = records_keyed.record_key
        {% if decided %}
        left join {{ decided }} as decided
            on proposals.node_key = decided.node_key
        {% endif %}
    ),

    -- Of two that somebody decided apart one stays with the others.
    decided_apart as (

        select distinct
            one.group_key,
            case when decisions.does_left_stay then other.label else one.label end as label

        from ({{ decisions_apart(decided) }}) as decisions

        inner join members as one
            on decisions.left_key = one.decided_key

        inner join members as other
            on
                decisions.right_key = other.decided_key
                and one.group_key = other.group_key

    )

    {% if priority == 0 %}

    select distinct
        group_key,
        cast(null as {{ text }}) as label,
        'decided_apart' as reason

    from decided_apart

    {% else %}
    {%- if not are_weighed %},

    -- Nothing tells which of two that contradict each other is right: both are left out.
    persons_contradict as (

        select distinct
            one.group_key,
            one.label

        from (
            select distinct group_key, label, first_name_key, birth_date, gender from members
        ) as one

        inner join (
            select distinct group_key, label, first_name_key, birth_date, gender from members
        ) as other
            on
                one.group_key = other.group_key
                and one.label != other.label

        left join {{ ref('int_identity__names_aliased') }} as names_aliased
            on
                one.first_name_key = names_aliased.left_name
                and other.first_name_key = names_aliased.right_name

        left join {{ ref('identifier_rules') }} as identifier_rules
            on identifier_rules.priority = {{ priority }}

        where {{ persons_contradict('one', 'other') }}

    )
    {%- endif %}

    select group_key, label, 'decided_apart' as reason from decided_apart
    union
    {%- if not are_weighed %}
    select group_key, label, 'persons_contradict' as reason from persons_contradict
    union
    {%- endif %}
    select group_key, cast(null as {{ text }}) as label, reason
    from ({{ groups_over_limits('members', 'group_key') }}) as over_limits
    {% endif %}
{% endmacro %}

{# Which two records people told apart, or what decisions make of each of them, and which of the two
   stays where both would be: the one that others were said to be one with, else the one that was
   there first. #}
{% macro decisions_apart(decided) %}
    {%- set is_earlier = 'coalesce(one_record.loaded_at <= other_record.loaded_at, true)' %}
    select
        decisions.left_record_key,
        decisions.right_record_key,
        {%- if decided %}
        coalesce(decided_left.label, decisions.left_record_key) as left_key,
        coalesce(decided_right.label, decisions.right_record_key) as right_key,
        decided_left.label is not null and decided_right.label is not null as are_both_tied,
        case
            when (decided_left.label is null) = (decided_right.label is null) then {{ is_earlier }}
            else decided_right.label is null
        end as does_left_stay
        {%- else %}
        decisions.left_record_key as left_key,
        decisions.right_record_key as right_key,
        {{ is_earlier }} as does_left_stay
        {%- endif %}
    from {{ ref('int_identity__decisions_listed') }} as decisions
    inner join {{ ref('customer_records') }} as one_record
        on decisions.left_record_key = one_record.record_key
    inner join {{ ref('customer_records') }} as other_record
        on decisions.right_record_key = other_record.record_key
    {%- if decided %}
    left join {{ decided }} as decided_left on decisions.left_record_key = decided_left.node_key
    left join {{ decided }} as decided_right on decisions.right_record_key = decided_right.node_key
    {%- endif %}
    where
        decisions.is_in_force
        and decisions.decision = 'different'
{% endmacro %}
