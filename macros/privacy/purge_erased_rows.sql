{# Before anything is built: what a source sends again of somebody who was erased is out before a
   model reads it. Without an erasure that is one small question. The operation
   `carry_out_erasures` makes it part of its own transaction. #}
{% macro purge_erased_rows(commits=true) %}
    {% if not execute or flags.WHICH not in ['run', 'build', 'run-operation'] %}
        {{ return('') }}
    {% endif %}
    {% if run_query('select 1 from ' ~ source('state', 'erased_identifiers') ~ ' limit 1').rows %}
        {% do check_erasure_salt() %}
        {% for table in graph.sources.values() %}
            {% set columns = identifying_columns(table) %}
            {% if columns %}
                {% set action = table.config.meta.on_erasure or 'delete' %}
                {% set emptied = columns_about_people(table) %}
                {% do purge_rows(table, erased_rows(table, columns), action, emptied, commits) %}
            {% endif %}
            {# An address of theirs on somebody else's row. #}
            {% for column in columns if column.unless and not column.is_record %}
                {% set rows = erased_rows(table, [column], of_others=true) %}
                {% do purge_rows(table, rows, 'anonymise', [column.name], commits) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {{ return('') }}
{% endmacro %}

{% macro check_erasure_salt() %}
    {% set salts = run_query('select count(*) from ' ~ source('state', 'erasure_salts')).rows[0][0] %}
    {% if salts != 1 %}
        {% do exceptions.raise_compiler_error(
            'state.erasure_salts has ' ~ salts ~ ' rows and must have one, by which the erased are '
            ~ 'known: restore the row that was there when they were erased, or they are all back.'
        ) %}
    {% endif %}
{% endmacro %}

{% macro purge_rows(table, rows, action, emptied, commits) %}
    {% if action not in ['delete', 'anonymise'] %}
        {% do exceptions.raise_compiler_error(
            table.unique_id ~ ': on_erasure is delete or anonymise, not ' ~ action
        ) %}
    {% endif %}
    {% set counts %}
        select request_id, count(*) as row_count from ({{ rows }}) as erased group by request_id
    {% endset %}
    {% set found = run_query(counts).rows %}
    {% if not found %}{{ return('') }}{% endif %}
    {% if commits %}{% do begin_transaction() %}{% endif %}
    {% call statement('count_erased') %}
        insert into {{ source('state', 'erased_rows') }}
            (request_id, table_name, action, row_count, recorded_at)
        select
            request_id,
            '{{ table.source_name }}.{{ table.name }}',
            '{{ action }}',
            row_count,
            cast({{ dbt.current_timestamp() }} as {{ dbt.type_timestamp() }})
        from (
            {%- for request_id, row_count in found %}
            select {{ text_literal(request_id) }} as request_id, {{ row_count }} as row_count
            {{ 'union all' if not loop.last }}
            {%- endfor %}
        ) as counted
    {% endcall %}
    {% call statement('purge') %}
        {% if action == 'anonymise' %}
        update {{ table.relation_name }} set
            {% for column in emptied %}
            {{ column }} = null{{ ',' if not loop.last }}
            {% endfor %}
        {% else %}
        delete from {{ table.relation_name }}
        {% endif %}
        where ({{ raw_row_locator(table) | map(attribute='column') | join(', ') }}) in (
            select {{ raw_row_locator(table) | map(attribute='name') | join(', ') }}
            from ({{ rows }}) as erased
        )
    {% endcall %}
    {% if commits %}{% do adapter.commit() %}{% endif %}
{% endmacro %}

{# What an anonymised row loses: the key of the row itself stays. #}
{% macro columns_about_people(table) %}
    {% set names = [] %}
    {% for column in table.columns.values() if column.name not in (table.config.meta.key or []) %}
        {% set meta = column.config.meta %}
        {% if meta.pii or meta.record_of or meta.identifies %}
            {% do names.append(adapter.quote(column.name)) %}
        {% endif %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}
