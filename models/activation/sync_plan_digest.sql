{{ config(materialized='view') }}

-- One number of what each plan says, whatever the order of its rows and the engine: two sums
-- of parts of an md5 per row. Whoever approved a plan approved this.

with

hashed as (

    select
        sync_name,
        {{ dbt.hash(concat_text([
            'length(row_key)', "':'", 'row_key', "';'", 'action', "';'", 'reason', "';'",
            'row_hash', "';'", 'blocked_reason',
        ])) }} as digest

    from {{ ref('sync_plan') }}

),

summed as (

    select
        sync_name,
        count(*) as planned_rows,
        cast(sum({{ hex_to_bigint('substr(digest, 1, 15)') }}) as decimal(38, 0)) as first_sum,
        cast(sum({{ hex_to_bigint('substr(digest, 16, 15)') }}) as decimal(38, 0)) as second_sum

    from hashed

    group by sync_name

)

select * from summed
