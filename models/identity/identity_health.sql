-- Identity as of each business date, and whether it looks like a collapse: one customer that
-- swallowed many, or more merges than a day brings. Compared with the latest date that was
-- fine, all that was merged since, so an alarm stays until its cause is gone or somebody
-- accepts the date.

{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='as_of',
        on_schema_change='fail',
        full_refresh=false
    )
}}

{% set bigint = dbt.type_bigint() %}
{% set change_types = ['created', 'merged', 'split', 'revived', 'retired'] %}

with

counted as (

    select * from {{ ref('int_identity__health_counted') }}

),

customer_id_changes as (

    select * from {{ ref('customer_id_changes') }}

    where as_of <= {{ as_of_date() }}

),

stored as (

    {{ stored_rows({
        'as_of': 'date',
        'record_count': bigint,
        'customer_count': bigint,
        'largest_record_count': bigint,
        'is_alarming': 'boolean',
    }) }}

),

baseline as (

    select
        as_of,
        customer_count,
        largest_record_count

    from stored

    where as_of = (
        select max(as_of) from stored
        where
            as_of < {{ as_of_date() }}
            and (not is_alarming or as_of <= cast('{{ var("identity_accepted_through") }}' as date))
    )

),

newest_changes as (

    select
        customer_id_changes.customer_id,
        max(customer_id_changes.run_number) as run_number

    from customer_id_changes

    inner join baseline
        on customer_id_changes.as_of > baseline.as_of

    group by customer_id_changes.customer_id

),

-- Whoever was merged and is back is no cause any more.
merges_counted as (

    select count(*) as merge_count

    from customer_id_changes

    inner join newest_changes
        on
            customer_id_changes.customer_id = newest_changes.customer_id
            and customer_id_changes.run_number = newest_changes.run_number

    where customer_id_changes.change_type = 'merged'

),

health as (

    select
        {{ as_of_date() }} as as_of,
        cast(counted.record_count as {{ bigint }}) as record_count,
        cast(counted.customer_count as {{ bigint }}) as customer_count,
        cast(counted.anonymous_customer_count as {{ bigint }}) as anonymous_customer_count,
        cast(counted.largest_record_count as {{ bigint }}) as largest_record_count,
        cast(counted.rejected_identifier_count as {{ bigint }}) as rejected_identifier_count,
        cast(counted.suspected_cluster_count as {{ bigint }}) as suspected_cluster_count,
        {%- for type in change_types %}
        cast(counted.{{ type }}_count as {{ bigint }}) as {{ type }}_count,
        {%- endfor %}
        cast(
            1 - counted.customer_count * 1.0 / nullif(counted.known_record_count, 0)
            as decimal(18, 4)
        ) as deduplication_rate,
        coalesce(
            (
                counted.largest_record_count
                > baseline.largest_record_count * {{ var('identity_max_growth') }}
                and counted.largest_record_count > {{ var('identity_alarming_record_count') }}
            )
            or (
                merges_counted.merge_count
                > baseline.customer_count * {{ var('identity_max_merge_share') }}
                and merges_counted.merge_count > {{ var('identity_alarming_merge_count') }}
            ),
            false
        ) as is_alarming

    from counted

    cross join merges_counted

    left join baseline
        on true

)

select * from health
