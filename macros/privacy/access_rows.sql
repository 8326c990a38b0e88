{# Rows of the raw tables, as they were received, of whoever made the request whose id is bound.
   They are known as those of an erasure are, and the doubt is the others': a row of a record that
   is not theirs is not told, whatever address it has (an erasure must reach it). What belongs to a
   row, lines to an order, is told with it. #}
{% macro access_rows() -%}
    {%- set tables = [] -%}
    {%- for table in graph.sources.values() | sort(attribute='unique_id') if identifying_columns(table) -%}
        {%- do tables.append(table) -%}
    {%- endfor -%}
    with known as (
        select
            request_id,
            customer_id,
            identifier_type,
            identifier_value,
            {{ typed_identifier('identifier_type', 'identifier_value') }} as known_by
        from {{ ref('access_identifiers') }}
        where request_id = ?
    )
    {%- for table in tables %},
    {{ told_name(table) }} as (
        {{ told_rows(table) }}
    )
    {%- endfor %}
    {%- for table in tables %}
    select request_id, '{{ table.source_name }}.{{ table.name }}' as table_name, row_json
    from {{ told_name(table) }}
    union all
    {%- endfor %}
    {%- for part in parts_of_rows() %}
    select
        told.request_id,
        '{{ part.table.source_name }}.{{ part.table.name }}' as table_name,
        {{ row_as_json('raw_row') }} as row_json
    from {{ part.table.relation_name }} as raw_row
    inner join (
        select distinct request_id, row_key from {{ told_name(part.whole) }}
    ) as told
        on raw_row.{{ part.column }} = told.row_key
    union all
    {%- endfor %}
    -- Not their text: it may be that of many rows, or of somebody else's.
    select
        request_id,
        'state.landing_rejections' as table_name,
        {{ row_as_json('rejected') }} as row_json
    from (
        select distinct
            identifiers.request_id,
            rejections.source_name,
            rejections.table_name,
            rejections.file_name,
            rejections.line_number
        {{ rejections_of('known') }}
    ) as rejected
{%- endmacro %}

{% macro told_name(table) -%}
    told_{{ table.source_name }}_{{ table.name }}
{%- endmacro %}

{# Of one table. `row_key` is its first key, by which parts name it. #}
{% macro told_rows(table) -%}
    {%- set key = table.config.meta.key[0] if table.config.meta.key -%}
    {%- set locators = raw_row_locator(table) -%}
    {%- set record = record_key_of_row(table) -%}
        select
            request_id,
            min(row_key) as row_key,
            min(row_json) as row_json
        from (
            {%- for column in identifying_columns(table) %}
            select
                known.request_id,
                {%- for locator in locators %}
                raw_row.{{ locator.column }} as {{ locator.name }},
                {%- endfor %}
                {{ 'raw_row.' ~ adapter.quote(key) if key else 'null' }} as row_key,
                {{ row_as_json('raw_row') }} as row_json
            {{ identified_rows(table, column, 'known', typed_identifier) }}
            {%- if record and not column.is_record %}
                and exists (
                    select 1
                    from {{ ref('customer_identities') }} as identities
                    where
                        identities.record_key = {{ record }}
                        and identities.customer_id = known.customer_id
                )
            {%- endif %}
            {{ has_no_address_of_others(table) }}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as identified
        group by request_id, {{ locators | map(attribute='name') | join(', ') }}
{%- endmacro %}

{# Condition, after others: what was typed on a browser may be a friend's. #}
{% macro has_no_address_of_others(table) -%}
    {%- for column in table.columns.values() if column.config.meta.typed -%}
        {%- set meta = column.config.meta -%}
        {%- set value = identifying_values(meta, false, 'raw_row.' ~ adapter.quote(column.name))[0] %}
                and (
                    {{ value }} is null
                    or exists (
                        select 1
                        from known as own
                        where
                            own.request_id = known.request_id
                            and own.known_by = {{ typed_identifier(identifying_type(meta), value) }}
                    )
                )
    {%- endfor -%}
{%- endmacro %}

{# Tables whose rows belong to rows of another of their source: the table, the column that names the
   other's row, and the other. #}
{% macro parts_of_rows() %}
    {% set found = [] %}
    {% for table in graph.sources.values() | sort(attribute='unique_id') %}
        {% for column in table.columns.values() if column.config.meta.part_of %}
            {% set whole = graph.sources[
                ['source', project_name, table.source_name, column.config.meta.part_of] | join('.')
            ] %}
            {% do found.append({
                'table': table, 'column': adapter.quote(column.name), 'whole': whole
            }) %}
        {% endfor %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{% macro typed_identifier(identifier_type, identifier_value) -%}
    {{ concat_text([identifier_type, "':'", identifier_value]) }}
{%- endmacro %}
