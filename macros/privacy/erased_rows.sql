{# A row that has come since by itself stays: it says that it began a day or more after the erasure
   (some sources write local time, some the day alone), and not in the future of its own loading.
   So does a row of somebody who was there before and has taken over an address that was the erased
   person's alone: whose record survived the erasure is somebody else. #}
{% macro erased_rows(table, columns, of_others=false) -%}
    {%- set meta = table.config.meta -%}
    {%- set known -%}
        (
            select
                identifier_hash as known_by,
                request_id,
                erased_at
            from {{ source('state', 'erased_identifiers') }}
        )
    {%- endset -%}
    {%- set locators = raw_row_locator(table) | map(attribute='name') | join(', ') -%}
    select
        {{ locators }},
        min(request_id) as request_id
    from (
        select
            {{ locators }},
            request_id,
            erased_at,
            loaded_at,
            {{ began_at(meta.begins) }} as began_at
        from (
            {%- for column in columns %}
            select
                {%- for locator in raw_row_locator(table) %}
                raw_row.{{ locator.column }} as {{ locator.name }},
                {%- endfor %}
                raw_row.loaded_at,
                {%- for begins in meta.begins or [] %}
                raw_row.{{ adapter.quote(begins) }} as begins_{{ loop.index }},
                {%- endfor %}
                known.request_id,
                known.erased_at
            {{ identified_rows(table, column, known, erased_identifier_hash, of_others) }}
            {%- if meta.on_erasure == 'anonymise' %}
                and coalesce(
                    raw_row.{{ columns_about_people(table) | join(', raw_row.') }}, null
                ) is not null
            {%- endif %}
            {%- if not column.is_record %}
                {{ is_no_surviving_record(table) }}
            {%- endif %}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as matched
    ) as dated
    where
        not coalesce(
            began_at > {{ dbt.dateadd('day', 1, 'erased_at') }}
            and began_at <= {{ dbt.dateadd('day', 1, 'loaded_at') }},
            false
        )
    group by {{ locators }}
{%- endmacro %}

{# The first of the columns that says when. #}
{% macro began_at(begins) -%}
    {%- set moments = ['cast(null as ' ~ dbt.type_timestamp() ~ ')'] -%}
    {%- for name in begins or [] -%}
        {%- set column = 'begins_' ~ loop.index -%}
        {%- do moments.append(column if name == 'loaded_at' else normalize_timestamp(column)) -%}
    {%- endfor -%}
    coalesce({{ moments | join(', ') }}, null)
{%- endmacro %}

{# Of a table of records. Before a first build there is no registry, and nobody else. #}
{% macro is_no_surviving_record(table) -%}
    {%- set node = graph.nodes['model.' ~ project_name ~ '.customer_id_registry'] -%}
    {%- set registry = adapter.get_relation(node.database, node.schema, node.alias) -%}
    {%- set record = record_key_of_row(table) -%}
    {%- if registry and record -%}
        and not exists (
            select 1
            from {{ registry }} as registry
            where registry.record_hash = substr({{ sha256_hex(record) }}, 1, 32)
        )
    {%- endif -%}
{%- endmacro %}
