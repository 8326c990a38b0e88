{# All of it or nothing, and of one moment: what cannot be told again once it is gone (whose ids and
   records these were) is forgotten in the transaction that takes the rows away. #}
{% macro carry_out_erasures(erased_at) %}
    {% set at = "cast('" ~ erased_at ~ "' as " ~ dbt.type_timestamp() ~ ')' %}
    {% set ready = "select request_id, customer_id, requested_at from " ~ ref('erasure_requests')
        ~ " where status = 'ready'" %}
    {% set customers = 'select customer_id from (' ~ ready ~ ') as ready' %}
    {% set registry = ref('customer_id_registry') %}
    {% set records %}
        select record_key from {{ ref('customer_identities') }} where customer_id in ({{ customers }})
    {% endset %}
    {% do check_erasure_salt() %}
    {% do begin_transaction(locked=source('state', 'erasures')) %}
    {# Once: it reads all versions of all records. #}
    {% set identifiers = scratch_table('erasure_identifiers_now') %}
    {% do create_scratch_tables({identifiers: 'select * from ' ~ ref('erasure_identifiers')}) %}
    {% call statement('remember_hashes') %}
        insert into {{ source('state', 'erased_identifiers') }}
            (identifier_hash, identifier_type, request_id, erased_at)
        select
            {{ erased_identifier_hash('identifier_type', 'identifier_value') }},
            identifier_type,
            request_id,
            {{ at }}
        from {{ identifiers }}
    {% endcall %}
    {% do forget_rejections(identifiers) %}
    {% call statement('forget_decisions') %}
        delete from {{ source('state', 'identity_decisions') }}
        where record_key in ({{ records }}) or other_record_key in ({{ records }})
    {% endcall %}
    {% call statement('forget_assignments') %}
        delete from {{ ref('customer_id_assignments') }}
        where record_hash in (
            select record_hash from {{ registry }} where customer_id in ({{ customers }})
        )
    {% endcall %}
    {% call statement('forget_ids') %}
        delete from {{ registry }} where customer_id in ({{ customers }})
    {% endcall %}
    {% call statement('write_erasures') %}
        insert into {{ source('state', 'erasures') }} (request_id, requested_at, erased_at)
        select request_id, requested_at, {{ at }} from ({{ ready }}) as ready
    {% endcall %}
    {% do purge_erased_rows(commits=false) %}
    {% do adapter.commit() %}
    {% do drop_scratch_tables([identifiers]) %}
{% endmacro %}

{% macro forget_rejections(identifiers) %}
    {% set rejections = source('state', 'landing_rejections') %}
    {% set found = rejections_of(identifiers) %}
    {% call statement('count_rejections') %}
        insert into {{ source('state', 'erased_rows') }}
            (request_id, table_name, action, row_count, recorded_at)
        select
            min(rejected.request_id),
            rejected.table_name,
            'delete',
            count(*),
            cast({{ dbt.current_timestamp() }} as {{ dbt.type_timestamp() }})
        from (
            select
                min(identifiers.request_id) as request_id,
                rejections.source_name || '.' || rejections.table_name as table_name
            {{ found }}
            group by
                rejections.run_id,
                rejections.source_name,
                rejections.table_name,
                rejections.file_name,
                rejections.line_number
        ) as rejected
        group by rejected.table_name
    {% endcall %}
    {% call statement('forget_rejections') %}
        delete from {{ rejections }}
        where raw_text in (select rejections.raw_text {{ found }})
    {% endcall %}
{% endmacro %}
