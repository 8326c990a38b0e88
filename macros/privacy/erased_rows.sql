{# An anonymised row that has nothing left to lose is done. What began after the erasure is a new relationship, and stays. A beginning in the future of its
   own loading is no beginning. #}
{% macro erased_rows(table, columns) -%}
    {%- set locator = row_locator(table.config.meta.key[0]) -%}
    {%- set begins = table.config.meta.begins -%}
    {%- set erased = source('state', 'erased_identifiers') -%}
    {%- set is_kept = table.config.meta.on_erasure == 'anonymise' -%}
    select
        located.row_locator,
        min(located.request_id) as request_id
    from (
        {%- for column in columns %}
        select
            held.{{ locator }} as row_locator,
            erased.request_id
        from {{ table.relation_name }} as held
        inner join (
            select
                given,
                companion,
                {{ erased_identifier_hash(column.type, column.value) }} as identifier_hash
            from (
                select distinct
                    {{ column.name }} as given,
                    {{ column.companion or 'cast(null as ' ~ dbt.type_string() ~ ')' }} as companion
                from {{ table.relation_name }}
                where {{ column.name }} is not null
            ) as given_values
        ) as hashed
            on
                held.{{ column.name }} = hashed.given
                {%- if column.companion %}
                and coalesce(held.{{ column.companion }}, '') = coalesce(hashed.companion, '')
                {%- endif %}
        inner join {{ erased }} as erased
            on hashed.identifier_hash = erased.identifier_hash
        where
            {% if is_kept -%}
            coalesce({{ columns_about_people(table) | join(', ') }}, null) is not null
            {%- else -%}
            true
            {%- endif %}
            {%- if column.unless %}
            and {{ clean_text('held.' ~ column.unless) }} is null
            {%- endif %}
            {%- if begins %}
            and not coalesce(
                {{ normalize_timestamp('held.' ~ begins) }} > erased.erased_at
                and {{ normalize_timestamp('held.' ~ begins) }}
                    <= {{ dbt.dateadd('day', 1, 'held.loaded_at') }},
                false
            )
            {%- endif %}
        {{ 'union all' if not loop.last }}
        {%- endfor %}
    ) as located
    group by located.row_locator
{%- endmacro %}
