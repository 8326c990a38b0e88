{# The statements of grow_linked_groups, in the order in which they run. #}

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

{# The best match of each group. Ties are broken alike from both sides, so that the best pair of
   all is always each other's. #}
{% macro linked_groups_picks_sql(judged) %}
    select label, best_label
    from (
        select
            label,
            best_label,
            row_number() over (
                partition by label
                order by probability desc, weight desc, left_label, right_label
            ) as place
        from (
            select *, left_label as label, right_label as best_label from {{ judged }}
            union all
            select *, right_label as label, left_label as best_label from {{ judged }}
        ) as sides
        where
            not is_refused
            and probability >= {{ var('identity_fuzzy_merge_probability') }}
    ) as ranked
    where place = 1
{% endmacro %}

{# A root, its mutual best match and everybody else whose best match is the root. #}
{% macro linked_groups_stars_sql(picks) %}
    select
        roots.label as root_label,
        followers.label as follower_label,
        followers.label = roots.best_label as is_mutual
    from {{ picks }} as roots
    inner join {{ picks }} as partners
        on roots.best_label = partners.label and partners.best_label = roots.label
    inner join {{ picks }} as followers on followers.best_label = roots.label
    where roots.label < partners.label
{% endmacro %}

{# Followers among themselves; that each suits the root is known. #}
{% macro linked_groups_rest_sql(stars) %}
    select one.follower_label as left_label, other.follower_label as right_label
    from {{ stars }} as one
    inner join {{ stars }} as other
        on one.root_label = other.root_label and one.follower_label < other.follower_label
{% endmacro %}

{# What the guards look at: the records of a root and all its followers as one. #}
{% macro linked_groups_wholes_sql(stars, labels, forms) %}
    select
        clusters.record_key as node_key,
        cast(groups.label as {{ dbt.type_string() }}) as label,
        cast(members.root_label as {{ dbt.type_string() }}) as group_key
    from (
        select root_label, follower_label as label from {{ stars }}
        union
        select root_label, root_label as label from {{ stars }}
    ) as members
    inner join {{ labels }} as groups on members.label = groups.label
    inner join (select distinct group_id, cluster_key from {{ forms }}) as persons
        on groups.group_id = persons.group_id
    inner join {{ ref('int_identity__clusters_proven') }} as clusters
        on persons.cluster_key = clusters.cluster_key
{% endmacro %}

{% macro linked_groups_moves_sql(stars, verdicts, refused) %}
    select stars.follower_label, stars.root_label
    from {{ stars }} as stars
    left join (
        select root_label
        from {{ stars }}
        where cast(root_label as {{ dbt.type_string() }}) in (select group_key from {{ refused }})
        union
        select spoiled.root_label
        from {{ verdicts }} as verdicts
        inner join {{ stars }} as spoiled on verdicts.left_label = spoiled.follower_label
        where
            verdicts.is_refused
            or verdicts.probability < {{ var('identity_fuzzy_merge_probability') }}
    ) as spoiled on stars.root_label = spoiled.root_label
    where stars.is_mutual or spoiled.root_label is null
{% endmacro %}

{% macro linked_groups_moved_sql(labels, moves) %}
    select labels.group_id, coalesce(moves.root_label, labels.label) as label
    from {{ labels }} as labels
    left join {{ moves }} as moves on labels.label = moves.follower_label
{% endmacro %}

{% macro linked_groups_unmoved_sql(judged, moves) %}
    select judged.*
    from {{ judged }} as judged
    where
        judged.left_label not in (select root_label from {{ moves }})
        and judged.left_label not in (select follower_label from {{ moves }})
        and judged.right_label not in (select root_label from {{ moves }})
        and judged.right_label not in (select follower_label from {{ moves }})
{% endmacro %}
