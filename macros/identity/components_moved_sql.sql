{# Which rows change, when the vertices of the small graph have their roots. #}

{# Vertices with their keys, where they are at hand: a component's smallest node has it as its
   label, the end of an added edge came with it. Who is in one component with the smallest node
   of its former one has a larger key than that, so no key is needed (is_told). #}
{% macro components_heard_sql(rooted, labels, ends) %}
    select
        rooted.node_id,
        rooted.former_id,
        rooted.is_component,
        rooted.root_id,
        coalesce(labels.cluster_key, ends.node_key) as node_key,
        case
            when labels.root_id is null and ends.node_id is null and home.node_id is null then 0
            else 1
        end as is_told
    from {{ rooted }} as rooted
    left join {{ labels }} as labels on rooted.node_id = labels.root_id
    left join {{ ends }} as ends on rooted.node_id = ends.node_id and rooted.is_component = 0
    left join {{ rooted }} as home
        on rooted.former_id = home.node_id and rooted.root_id = home.root_id
{% endmacro %}

{# Vertices whose label changes, or may change because a key is missing. #}
{% macro components_loose_sql(heard, seed) %}
    select heard.node_id, heard.former_id, heard.is_component, heard.root_id
    from {{ heard }} as heard
    inner join (
        select
            root_id,
            min(is_told) as is_told,
            {{ key_id(binary_min('node_key'), seed) }} as label_id
        from {{ heard }}
        group by root_id
    ) as led on heard.root_id = led.root_id
    where
        heard.former_id is not null
        and (led.is_told = 0 or heard.former_id != led.label_id)
{% endmacro %}

{# The same, components taken apart. #}
{% macro components_stirred_sql(nodes, loose, members) %}
    select node_id, former_id, root_id from {{ loose }} where is_component = 0
    union all
    select stored.node_id, loose.former_id, loose.root_id
    from {{ nodes }} as stored
    inner join {{ loose }} as loose
        on stored.root_id = loose.node_id and loose.is_component = 1
    where not {{ rows_match('stored', members, ['node_id']) }}
{% endmacro %}

{# The rows that matter, read from the table at once. #}
{% macro components_rows_sql(published, columns, stirred, ends, vanished, seed) %}
    select stored.locator, stored.node_id, stored.node_key
    from (
        select
            {{ row_locator(columns[0]) }} as locator,
            {{ key_id(columns[0], seed) }} as node_id,
            {{ columns[0] }} as node_key
        from {{ published }}
    ) as stored
    inner join (
        select node_id from {{ stirred }}
        union
        select node_id from {{ ends }}
        union
        select node_id from {{ vanished }}
    ) as wanted on stored.node_id = wanted.node_id
{% endmacro %}

{# Old nodes with their key, if it is needed, and new ones. #}
{% macro components_told_sql(heard, stirred, rows) %}
    select stirred.node_id, stirred.former_id, stirred.root_id, rows.node_key
    from {{ stirred }} as stirred
    inner join {{ rows }} as rows on stirred.node_id = rows.node_id
    union all
    select node_id, former_id, root_id, node_key
    from {{ heard }}
    where former_id is null
{% endmacro %}

{% macro components_moved_sql(told, named) %}
    select told.node_id, told.node_key, named.label_id as root_id, named.cluster_key
    from {{ told }} as told
    inner join {{ named }} as named on told.root_id = named.root_id
    where told.former_id is null or told.former_id != named.label_id
{% endmacro %}

{% macro components_doomed_sql(rows, moved, vanished) %}
    select rows.locator, rows.node_id
    from {{ rows }} as rows
    inner join (
        select node_id from {{ moved }}
        union all
        select node_id from {{ vanished }}
    ) as gone on rows.node_id = gone.node_id
{% endmacro %}

{# Labels that are gone or written anew. #}
{% macro components_lapsed_sql(rooted, severed, vanished) %}
    select node_id as root_id from {{ rooted }} where node_id = former_id
    union all
    select severed.root_id
    from {{ severed }} as severed
    inner join {{ vanished }} as vanished on severed.node_id = vanished.node_id
    where severed.node_id = severed.root_id
{% endmacro %}
