{# The CTE `heirs` from `stored` (the registry of the last run) and `clustered` (today). #}
{% macro heirs_of_absent_records() -%}
-- Records that were there at the last run and still are, with the customer they were in.
survivors as (

    select
        stored.customer_id,
        stored.record_hash,
        stored.is_anonymous_record,
        row_number() over (
            partition by stored.customer_id
            order by
                case when stored.is_anonymous_record then 1 else 0 end,
                case when stored.first_loaded_at is null then 1 else 0 end,
                stored.first_loaded_at,
                {{ binary_order('stored.record_hash') }}
        ) as seniority

    from stored

    inner join clustered
        on stored.record_hash = clustered.record_hash

    where stored.is_present

),

-- Whom each record that is not there stands behind: the heir it has, or, where that one is
-- gone too, the heir's heir.
heirs as (

    select
        absent.record_hash,
        case
            when clustered_heirs.record_hash is not null then absent.heir_hash
            else survivors.record_hash
        end as heir_hash

    from stored as absent

    left join clustered
        on absent.record_hash = clustered.record_hash

    left join clustered as clustered_heirs
        on absent.heir_hash = clustered_heirs.record_hash

    left join stored as stored_heirs
        on absent.heir_hash = stored_heirs.record_hash

    left join survivors
        on
            coalesce(stored_heirs.customer_id, absent.customer_id) = survivors.customer_id
            and survivors.seniority = 1
            -- A person's id does not go over to a browser.
            and (absent.is_anonymous_record or not survivors.is_anonymous_record)

    where clustered.record_hash is null

)
{%- endmacro %}
