{# The statements of grow_linked_groups that join groups, in the order in which they run. #}

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
