{% macro described_rows() -%}
described as (

    select
        candidates.row_key,
        candidates.row_hash,
        contents.field_hashes,
        contents.identifier,
        contents.rows_per_key > 1 as is_duplicate,
        shared_identifiers.identifier is not null as is_shared,
        coalesce(contents.customer_id, known.customer_id, candidates.row_key) as customer_id,
        known.row_key is not null as is_known,
        coalesce(known.is_held, false) as is_held,
        coalesce(known.is_uncertain, false) as is_uncertain,
        case when known.is_held then known.delivered_hash end as previous_hash,
        case when known.is_held then known.delivered_field_hashes end as previous_field_hashes,
        coalesce(known.delivered_entry_number, 0) as version,
        known.remote_id,
        known.last_entry_number as ledger_entry_number,
        known.last_status,
        coalesce(
            known.last_status = 'rejected' and known.last_hash = candidates.row_hash, false
        ) as is_rejected,
        case
            when known.last_status not in ('delivered', 'reset', 'drifted') and (
                known.last_hash = candidates.row_hash
                or (candidates.row_hash is null and known.last_action = 'remove')
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
