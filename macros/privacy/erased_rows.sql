{# What began after the erasure is a new relationship, and stays. A beginning in the future of its
   own loading is no beginning. An anonymised row that has nothing left to lose is done. #}
{% macro erased_rows(table, columns) -%}
    {%- set meta = table.config.meta -%}
    {%- set no_text = 'cast(null as ' ~ dbt.type_string() ~ ')' -%}
    select
        row_locator,
        min(request_id) as request_id
    from (
        select
            row_locator,
            request_id,
            erased_at,
            loaded_at,
            {{ normalize_timestamp('begins') if meta.begins else 'cast(null as ' ~ dbt.type_timestamp() ~ ')' }}
                as began_at
        from (
            {%- for column in columns %}
            select
                held.{{ row_locator(meta.key[0]) }} as row_locator,
                held.loaded_at,
                {{ 'held.' ~ meta.begins if meta.begins else no_text }} as begins,
                erased.request_id,
                erased.erased_at
            from {{ table.relation_name }} as held
            inner join (
                select
                    given,
                    companion,
                    {{ erased_identifier_hash(column.type, column.value) }} as identifier_hash
                from (
                    select distinct
                        {{ column.name }} as given,
                        {{ column.companion or no_text }} as companion
                    from {{ table.relation_name }}
                    where {{ column.name }} is not null
                ) as given_values
            ) as hashed
                on
                    held.{{ column.name }} = hashed.given
                    {%- if column.companion %}
                    and coalesce(held.{{ column.companion }}, '') = coalesce(hashed.companion, '')
                    {%- endif %}
            inner join {{ source('state', 'erased_identifiers') }} as erased
                on hashed.identifier_hash = erased.identifier_hash
            where
                {% if meta.on_erasure == 'anonymise' -%}
                coalesce({{ columns_about_people(table) | join(', ') }}, null) is not null
                {%- else -%}
                true
                {%- endif %}
                {%- if column.unless %}
                and {{ clean_text('held.' ~ column.unless) }} is null
                {%- endif %}
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as matched
    ) as dated
    where
        not coalesce(
            began_at > erased_at and began_at <= {{ dbt.dateadd('day', 1, 'loaded_at') }}, false
        )
    group by row_locator
{%- endmacro %}
