{# Rows of the raw tables, as they were received, of whoever made the request whose id is bound: all
   that `cdp erase` would take, and for the same reason. A row of a record of somebody else is
   theirs, whatever address it has. #}
{% macro access_rows() -%}
    with known as (
        select
            request_id,
            customer_id,
            identifier_type,
            identifier_value,
            {{ typed_identifier('identifier_type', 'identifier_value') }} as identifier
        from {{ ref('access_identifiers') }}
        where request_id = ?
    )
    {%- for table in graph.sources.values() | sort(attribute='unique_id') %}
    {%- set columns = identifying_columns(table) %}
    {%- for column in columns %}
    {%- if loop.first %}
    select
        request_id,
        '{{ table.source_name }}.{{ table.name }}' as table_name,
        min(row_json) as row_json
    from (
    {%- endif %}
        select
            known.request_id,
            held.{{ row_locator([columns[0].name]) | first }} as row_locator,
            {{ row_as_json('held') }} as row_json
        {{ identified_rows(table, column, 'known', typed_identifier) }}
        {%- set record = record_key_of_row(table) %}
        {%- if record and not column.is_record %}
            and not exists (
                select 1
                from {{ ref('customer_identities') }} as identities
                where
                    identities.record_key = {{ record }}
                    and identities.customer_id != known.customer_id
            )
        {%- endif %}
    {%- if not loop.last %}
        union all
    {%- else %}
    ) as matched
    group by request_id, row_locator
    union all
    {%- endif %}
    {%- endfor %}
    {%- endfor %}
    select distinct
        identifiers.request_id,
        'state.landing_rejections' as table_name,
        {{ row_as_json('rejections') }} as row_json
    {{ rejections_of('known') }}
{%- endmacro %}

{% macro typed_identifier(identifier_type, identifier_value) -%}
    {{ concat_text([identifier_type, "':'", identifier_value]) }}
{%- endmacro %}
