{# The guards: which of the proposed groups cannot be one person, why, and the part of it that is
   to be left out (null: none of it may join). Only what comes together by the proposal counts;
   priority 0 are decisions of people, which only another decision contradicts. `are_weighed`: how
   well names and birth dates agree was weighed already. #}
{% macro identity_violations(proposals, priority, are_weighed=false) %}
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
            records_keyed.first_name_key,
            records_keyed.birth_date,
            records_keyed.gender

        from {{ proposals }} as proposals

        inner join grown
            on proposals.group_key = grown.group_key

        inner join {{ ref('int_identity__records_keyed') }} as records_keyed
            on proposals.node_key = records_keyed.record_key

    ),

    -- Of two that somebody decided apart, the one that came first stays with the others.
    decided_apart as (

        select
            one.group_key,
            case
                when coalesce(one_record.loaded_at <= other_record.loaded_at, true)
                    then other.label
                else one.label
            end as label

        from {{ ref('int_identity__decisions_listed') }} as decisions

        inner join members as one
            on decisions.left_record_key = one.record_key

        inner join members as other
            on
                decisions.right_record_key = other.record_key
                and one.group_key = other.group_key

        inner join {{ ref('customer_records') }} as one_record
            on decisions.left_record_key = one_record.record_key

        inner join {{ ref('customer_records') }} as other_record
            on decisions.right_record_key = other_record.record_key

        where
            decisions.is_in_force
            and decisions.decision = 'different'

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
    select group_key, cast(null as {{ text }}) as label, 'too_many_records' as reason
    from members
    group by group_key
    having count(*) > {{ var('identity_max_records_per_customer') }}
    union
    select group_key, cast(null as {{ text }}) as label, 'too_many_values' as reason
    from ({{ groups_with_too_many_values('members', 'group_key') }}) as overloaded
    {% endif %}
{% endmacro %}
