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

    -- Of two that somebody decided apart, the one that came first stays with the others.
    decided_apart as (

        select distinct
            one.group_key,
            case when decisions.has_left_come_first then other.label else one.label end as label

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
    select group_key, cast(null as {{ text }}) as label, 'too_many_records' as reason
    from members
    group by group_key
    having count(*) > {{ var('identity_max_records_per_customer') }}
    union
    select group_key, cast(null as {{ text }}) as label, 'too_many_values' as reason
    from ({{ groups_with_too_many_values('members', 'group_key') }}) as overloaded
    {% endif %}
{% endmacro %}

{# Which two records people told apart, or what decisions make of each of them, and which of the two
   was there first. #}
{% macro decisions_apart(decided) %}
    {%- set keys = {'left': 'decisions.left_record_key', 'right': 'decisions.right_record_key'} %}
    select
        {%- for side, key in keys.items() %}
        {{ 'coalesce(decided_' ~ side ~ '.label, ' ~ key ~ ')' if decided else key }} as {{ side }}_key,
        {%- endfor %}
        coalesce(one_record.loaded_at <= other_record.loaded_at, true) as has_left_come_first
    from {{ ref('int_identity__decisions_listed') }} as decisions
    inner join {{ ref('customer_records') }} as one_record
        on decisions.left_record_key = one_record.record_key
    inner join {{ ref('customer_records') }} as other_record
        on decisions.right_record_key = other_record.record_key
    {%- for side, key in keys.items() if decided %}
    left join {{ decided }} as decided_{{ side }} on {{ key }} = decided_{{ side }}.node_key
    {%- endfor %}
    where
        decisions.is_in_force
        and decisions.decision = 'different'
{% endmacro %}
