-- Identity as of each business date, and whether it looks like a collapse: one customer that
-- swallowed many, or more merges in a day than a day brings. Compared with the latest date
-- that was fine, so an alarm stays until its cause is gone or somebody accepts the date.

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

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

changes_counted as (

    select
        {%- for type in change_types %}
        count(case when change_type = '{{ type }}' then 1 end) as {{ type }}_count
        {{- ',' if not loop.last }}
        {%- endfor %}

    from {{ ref('customer_id_changes') }}

    where as_of = {{ as_of_date() }}

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

customers as (

    select
        customer_id,
        is_anonymous,
        count(*) as record_count

    from customer_identities

    group by customer_id, is_anonymous

),

sizes as (

    select
        coalesce(sum(record_count), 0) as record_count,
        sum(case when is_anonymous then 0 else record_count end) as known_record_count,
        coalesce(sum(case when is_anonymous then 0 else 1 end), 0) as customer_count,
        coalesce(sum(case when is_anonymous then 1 else 0 end), 0) as anonymous_customer_count,
        coalesce(max(record_count), 0) as largest_record_count

    from customers

),

counted as (

    select
        sizes.*,
        (
            select count(*) from {{ ref('customer_identifier_rejections') }}
        ) as rejected_identifier_count,
        (
            select count(distinct cluster_key) from {{ ref('int_identity__clusters_suspected') }}
        ) as suspected_cluster_count
        {%- for type in change_types %},
        changes_counted.{{ type }}_count
        {%- endfor %}

    from sizes

    cross join changes_counted

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
            or counted.merged_count
            > baseline.customer_count * {{ var('identity_max_merge_share') }},
            false
        ) as is_alarming

    from counted

    left join baseline
        on true

)

select * from health
