{# Where nothing was delivered since, what was stored about the delivery still holds. #}
{% macro advanced_rows(stored) -%}
advanced as (

    select
        fresh.sync_name,
        fresh.row_key,
        fresh.last_entry_number,
        fresh.last_action,
        fresh.last_status,
        fresh.last_attempt,
        fresh.last_run_id,
        fresh.last_error_class,
        fresh.last_error_code,
        fresh.last_hash,
        coalesce(
            fresh.last_field_hashes,
            case when stored.last_hash = fresh.last_hash then stored.last_field_hashes end
        ) as last_field_hashes,
        fresh.last_recorded_at,
        coalesce(fresh.customer_id, stored.customer_id) as customer_id,
        coalesce(fresh.delivered_entry_number, stored.delivered_entry_number)
            as delivered_entry_number,
        -- What has drifted is not what was delivered, so it counts as unknown content.
        case
            when fresh.drifted_entry_number > coalesce(fresh.delivered_entry_number, 0) then null
            when fresh.delivered_entry_number is null then stored.delivered_hash
            else fresh.delivered_hash
        end as delivered_hash,
        case
            when fresh.drifted_entry_number > coalesce(fresh.delivered_entry_number, 0) then null
            when fresh.delivered_entry_number is null then stored.delivered_field_hashes
            when fresh.delivered_field_hashes is not null then fresh.delivered_field_hashes
            when stored.last_hash = fresh.delivered_hash then stored.last_field_hashes
        end as delivered_field_hashes,
        case
            when fresh.delivered_entry_number is null then stored.delivered_action
            else fresh.delivered_action
        end as delivered_action,
        case
            when fresh.delivered_entry_number is null then stored.delivered_reason
            else fresh.delivered_reason
        end as delivered_reason,
        case
            when fresh.delivered_entry_number is null then stored.remote_id
            else fresh.remote_id
        end as remote_id,
        stored.remote_id as former_remote_id,
        fresh.open_calls
        + case when fresh.delivered_entry_number is null then coalesce(stored.open_calls, 0) else 0 end
            as open_calls,
        fresh.open_upserts
        + case
            when fresh.delivered_entry_number is null then coalesce(stored.open_upserts, 0) else 0
        end as open_upserts

    from summarised as fresh

    left join {{ stored }} as stored
        on fresh.sync_name = stored.sync_name and fresh.row_key = stored.row_key

),
{%- endmacro %}
