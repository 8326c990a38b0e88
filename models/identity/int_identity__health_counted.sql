-- What there is to count of identity on the business date, in one row.

{% set change_types = ['created', 'merged', 'split', 'revived', 'retired'] %}

with

changes_counted as (

    select
        {%- for type in change_types %}
        count(case when change_type = '{{ type }}' then 1 end) as {{ type }}_count
        {{- ',' if not loop.last }}
        {%- endfor %}

    from {{ ref('customer_id_changes') }}

    where as_of = {{ as_of_date() }}

),

sizes as (

    select
        coalesce(sum(record_count * customer_count), 0) as record_count,
        coalesce(sum(case when is_anonymous then 0 else record_count * customer_count end), 0)
            as known_record_count,
        coalesce(sum(case when is_anonymous then 0 else customer_count end), 0) as customer_count,
        coalesce(sum(case when is_anonymous then customer_count else 0 end), 0)
            as anonymous_customer_count,
        coalesce(max(record_count), 0) as largest_record_count

    from {{ ref('identity_cluster_sizes') }}

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

)

select * from counted
