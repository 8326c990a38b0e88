{# The statements of grow_linked_groups that judge pairs of groups, in the order in which they
   run. #}

{# Proven persons of whom two forms may be one person. #}
{% macro linked_groups_links_sql(pairs_sql, forms) %}
    select distinct l.group_id as left_group_id, r.group_id as right_group_id
    from ({{ pairs_sql }}) as pairs
    inner join {{ forms }} as l on pairs.left_form_id = l.form_id
    inner join {{ forms }} as r on pairs.right_form_id = r.form_id
{% endmacro %}

{% macro linked_groups_start_sql(links) %}
    select group_id, group_id as label
    from (
        select left_group_id as group_id from {{ links }}
        union
        select right_group_id as group_id from {{ links }}
    ) as linked
{% endmacro %}

{% macro linked_groups_none_sql(links) %}
    select
        left_group_id as left_label,
        right_group_id as right_label,
        cast(0 as {{ type_double() }}) as weight,
        cast(0 as {{ type_double() }}) as probability,
        false as is_refused
    from {{ links }}
    where 1 = 0
{% endmacro %}

{# Groups that touch and were not judged yet. #}
{% macro linked_groups_meetings_sql(links, labels, judged) %}
    select meetings.left_label, meetings.right_label
    from (
        select distinct
            case when l.label < r.label then l.label else r.label end as left_label,
            case when l.label < r.label then r.label else l.label end as right_label
        from {{ links }} as links
        inner join {{ labels }} as l on links.left_group_id = l.group_id
        inner join {{ labels }} as r on links.right_group_id = r.group_id
        where l.label != r.label
    ) as meetings
    left join {{ judged }} as judged
        on meetings.left_label = judged.left_label and meetings.right_label = judged.right_label
    where judged.left_label is null
{% endmacro %}

{% macro linked_groups_crossed_sql(meetings, labels, forms) %}
    select
        meetings.left_label,
        meetings.right_label,
        l.form_id as left_form_id,
        r.form_id as right_form_id
    from {{ meetings }} as meetings
    inner join {{ labels }} as left_groups on meetings.left_label = left_groups.label
    inner join {{ labels }} as right_groups on meetings.right_label = right_groups.label
    inner join {{ forms }} as l on left_groups.group_id = l.group_id
    inner join {{ forms }} as r on right_groups.group_id = r.group_id
{% endmacro %}

{# A comparison that only some forms allow is averaged over those: what a form leaves out speaks
   neither for nor against. #}
{% macro linked_groups_averaged_sql(crossed_sql, forms) %}
    select
        left_label,
        right_label,
        {%- for name in form_comparisons() %}
        {%- for kind in ['weight', 'household_weight'] %}
        avg({{ name }}_{{ kind }}) as {{ name }}_{{ kind }}{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from ({{ weigh_forms('(' ~ crossed_sql ~ ')', forms) }}) as weighed
    group by left_label, right_label
{% endmacro %}

{% macro linked_groups_likely_sql(averaged) %}
    select
        left_label,
        right_label,
        evidence as weight,
        {{ probability_of_one_person() }} as probability
    from ({{ add_up_weights(averaged) }}) as added
    cross join {{ ref('int_identity__match_odds_estimated') }} as match_odds_estimated
{% endmacro %}

{# What the guards look at: the records of two groups as one. #}
{% macro linked_groups_proposals_sql(likely, labels, forms) %}
    select
        clusters.record_key as node_key,
        cast(members.label as {{ dbt.type_string() }}) as label,
        members.group_key
    from (
        select
            likely.left_label,
            likely.right_label,
            cast(likely.left_label as {{ dbt.type_string() }}) || ':'
                || cast(likely.right_label as {{ dbt.type_string() }}) as group_key,
            groups.label,
            groups.group_id
        from {{ likely }} as likely
        inner join {{ labels }} as groups
            on groups.label = likely.left_label or groups.label = likely.right_label
        where likely.probability >= {{ var('identity_fuzzy_merge_probability') }}
    ) as members
    inner join (select distinct group_id, cluster_key from {{ forms }}) as persons
        on members.group_id = persons.group_id
    inner join {{ ref('int_identity__clusters_proven') }} as clusters
        on persons.cluster_key = clusters.cluster_key
{% endmacro %}

{% macro linked_groups_judged_sql(likely, refused) %}
    select
        likely.left_label,
        likely.right_label,
        likely.weight,
        likely.probability,
        refused.group_key is not null as is_refused
    from {{ likely }} as likely
    left join (select distinct group_key from {{ refused }}) as refused
        on refused.group_key = cast(likely.left_label as {{ dbt.type_string() }}) || ':'
            || cast(likely.right_label as {{ dbt.type_string() }})
{% endmacro %}
