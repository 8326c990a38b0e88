{{ config(materialized='view') }}

-- How everything is that somebody has to know about, in names, codes and numbers. No model
-- reads the clock: past fresh_until, whoever reads takes ok and degraded for stale.

{% set text, timestamp = dbt.type_string(), dbt.type_timestamp() %}
{% set hours = var('alert_stale_hours') %}

with

-- The alarm of the latest date, as it stops publishing and syncing.
identity as (

    select
        'identity' as subject,
        case
            when
                is_alarming
                and as_of > cast('{{ var("identity_accepted_through") }}' as date)
                then 'failing'
            else 'ok'
        end as state,
        trim({{ dbt.concat([
            counted('customers', 'customer_count'),
            counted('largest_records', 'largest_record_count'),
            counted('merged', 'merged_count'),
        ]) }}) as detail,
        cast(null as {{ timestamp }}) as fresh_until

    from {{ ref('identity_health') }}

    where as_of = (select max(as_of) from {{ ref('identity_health') }})

),

landed as (

    select
        *,
        row_number() over (
            partition by source_name, table_name, file_name order by landed_at desc
        ) as newest_first,
        max(landed_at) over () as last_landed_at

    from {{ source('state', 'landings') }}

),

-- A refused file counts until one of its name is landed; refused rows, of the last landing.
files as (

    select
        count(case when newest_first = 1 and verdict = 'refused' then 1 end) as refused_files,
        sum(case when landed_at = last_landed_at then rows_quarantined end) as rows_quarantined,
        sum(case when landed_at = last_landed_at then rows_read end) as rows_read,
        max(landed_at) as last_landed_at

    from landed

),

landings as (

    select
        'landings' as subject,
        case
            when refused_files > 0 then 'failing'
            when rows_quarantined > rows_read * {{ var('alert_quarantined_share') }}
                then 'degraded'
            else 'ok'
        end as state,
        trim({{ dbt.concat([
            counted('refused_files', 'refused_files'),
            counted('rows_quarantined', 'rows_quarantined'),
        ]) }}) as detail,
        {{ dbt.dateadd('hour', hours, 'last_landed_at') }} as fresh_until

    from files

    where last_landed_at is not null

),

failing_tests as (

    {{ failing_tests() }}

),

tests as (

    select
        'tests' as subject,
        case when count(*) > 0 then 'failing' else 'ok' end as state,
        trim({{ counted('failed_tests', 'count(*)') }}) as detail,
        cast(null as {{ timestamp }}) as fresh_until

    from failing_tests

),

states as (

    select * from {{ ref('int_activation__syncs_judged') }}
    union all
    select * from identity
    union all
    select * from landings
    union all
    select * from tests

)

select
    subject,
    state,
    cast(detail as {{ text }}) as detail,
    fresh_until

from states
