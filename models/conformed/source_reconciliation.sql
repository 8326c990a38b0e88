{# Identifiers are taken from records and visits: no row of a source is theirs alone. #}
{% set subjects = var('contributors') | reject('equalto', 'record_identifiers') | list %}

-- Only tables that the landing step wrote are here: it alone knows how many rows there were.
with

landings as (

    select
        source_name || '.' || table_name as source_table,
        sum(rows_loaded + rows_quarantined) as read_rows

    from {{ source('state', 'landings') }}

    group by
        source_name,
        table_name

),

quarantined as (

    select
        source_table,
        count(*) as quarantined_rows

    from {{ ref('quarantined_rows') }}

    group by source_table

),

-- Taken out because the person asked for it. Rows that came back otherwise than by landing, from a
-- backup, were counted once when they were read and twice when they were taken out: erasures
-- explain what is missing and no more.
erased as (

    select
        table_name as source_table,
        sum(row_count) as erased_rows

    from {{ source('state', 'erased_rows') }}

    where action = 'delete'

    group by table_name

),

conformed as (

    {% for subject in subjects %}
        select
            source_table,
            '{{ subject }}' as subject,
            count(*) as loaded_rows,
            sum(version_count - 1) as deduplicated_rows

        from {{ ref(subject) }}

        group by source_table
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

counted as (

    select
        conformed.source_table,
        conformed.subject,
        cast(landings.read_rows as {{ dbt.type_bigint() }}) as read_rows,
        conformed.loaded_rows,
        coalesce(quarantined.quarantined_rows, 0) as quarantined_rows,
        cast(conformed.deduplicated_rows as {{ dbt.type_bigint() }}) as deduplicated_rows,
        cast(coalesce(erased.erased_rows, 0) as {{ dbt.type_bigint() }}) as erased_rows,
        landings.read_rows
        - conformed.loaded_rows
        - coalesce(quarantined.quarantined_rows, 0)
        - conformed.deduplicated_rows as missing_rows

    from conformed

    inner join landings
        on conformed.source_table = landings.source_table

    left join quarantined
        on conformed.source_table = quarantined.source_table

    left join erased
        on conformed.source_table = erased.source_table

),

final as (

    select
        source_table,
        subject,
        read_rows,
        loaded_rows,
        quarantined_rows,
        deduplicated_rows,
        erased_rows,
        cast(
            case
                when missing_rows between 0 and erased_rows then 0
                when missing_rows > erased_rows then missing_rows - erased_rows
                else missing_rows
            end as {{ dbt.type_bigint() }}
        ) as lost_rows

    from counted

)

select * from final
