{% macro described_rows(sync, sync_name) -%}
{%- set identifier = sync.match_on or sync.key -%}
contents as (

    -- A key that the model has twice is one row, which is blocked. Without a hash there is nothing
    -- to do about the content.
    select
        model.row_key,
        count(*) as rows_per_key,
        min(model.identifier) as identifier,
        min(model.customer_id) as customer_id,
        min(model.field_hashes) as field_hashes,
        min(case when {{ is_due(sync, 'model.row_hash', 'known') }} then model.row_hash end)
            as row_hash

    from (
        select
            {{ sync.key }} as row_key,
            {{ identifier }} as identifier,
            {{ sync.person or sync.key }} as customer_id,
            {{ field_hashes(sync.columns, sync.key, sync_name) }} as field_hashes,
            {{ row_hash(sync.columns, sync.key, sync_name) }} as row_hash
        from {{ ref(sync_name) }}
        where {{ sync.key }} in (select row_key from candidates)
    ) as model

    left join known
        on model.row_key = known.row_key

    group by model.row_key

),

shared_identifiers as (

    select {{ identifier }} as identifier

    from {{ ref(sync_name) }}

    where {{ identifier }} in (select identifier from contents)

    group by {{ identifier }}

    having count(*) > 1

),

described as (

    select
        candidates.row_key,
        contents.row_key is not null as is_wanted,
        contents.row_hash,
        case when contents.row_hash is not null then contents.field_hashes end as field_hashes,
        contents.identifier,
        contents.rows_per_key > 1 as is_duplicate,
        shared_identifiers.identifier is not null as is_shared,
        coalesce(
            case when contents.row_hash is not null then contents.customer_id end,
            known.customer_id,
            candidates.row_key
        ) as customer_id,
        known.row_key is not null as is_known,
        coalesce(known.is_held, false) as is_held,
        coalesce(known.is_uncertain, false) as is_uncertain,
        {{ was_taken_away('known') }} as was_taken_away,
        case when known.is_held then known.delivered_hash end as previous_hash,
        case when known.is_held then known.delivered_field_hashes end as previous_field_hashes,
        coalesce(known.delivered_entry_number, 0) as version,
        known.remote_id,
        known.last_entry_number as ledger_entry_number,
        known.last_status,
        coalesce(known.last_status = 'rejected' and known.last_hash = contents.row_hash, false)
            as is_rejected,
        case
            when known.last_status not in ('delivered', 'reset', 'drifted') and (
                known.last_hash = contents.row_hash
                or (contents.row_hash is null and known.last_action = 'remove')
            )
                then known.last_attempt + case when known.last_status = 'unsent' then 0 else 1 end
            else 1
        end as attempt

    from candidates

    left join contents
        on candidates.row_key = contents.row_key

    left join shared_identifiers
        on contents.identifier = shared_identifiers.identifier

    left join known
        on candidates.row_key = known.row_key

),
{%- endmacro %}
