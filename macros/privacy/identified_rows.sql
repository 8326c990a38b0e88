{# The part after `select`, of rows `raw_row` of a raw table that a column identifies and of `known`,
   whom. A value is read once, however many rows have it. #}
{% macro identified_rows(table, column, known, identifier, of_others=false) -%}
    {%- set no_text = 'cast(null as ' ~ dbt.type_string() ~ ')' -%}
    from {{ table.relation_name }} as raw_row
    inner join (
        {%- for value in column['values'] %}
        select
            given,
            companion,
            {{ identifier(column.type, value) }} as known_by
        from (
            select distinct
                {{ column.name }} as given,
                {{ column.companion or no_text }} as companion
            from {{ table.relation_name }}
            where {{ column.name }} is not null
        ) as given_values
        {{ 'union' if not loop.last }}
        {%- endfor %}
    ) as named
        on
            raw_row.{{ column.name }} = named.given
            {%- if column.companion %}
            and coalesce(raw_row.{{ column.companion }}, '') = coalesce(named.companion, '')
            {%- endif %}
    inner join {{ known }} as known
        on named.known_by = known.known_by
    where
        {% if column.unless -%}
        {{ null_if_placeholder('raw_row.' ~ column.unless) }} is {{ 'not' if of_others }} null
        {%- else -%}
        true
        {%- endif %}
{%- endmacro %}

{# What finds a row again that was identified: columns of the table, and what they are called in a
   select of such rows. #}
{% macro raw_row_locator(table) %}
    {% set columns = row_locator([identifying_columns(table)[0].name], may_have_parts=true) %}
    {% set found = [] %}
    {% for column in columns %}
        {% do found.append({'column': column, 'name': 'row_locator_' ~ loop.index}) %}
    {% endfor %}
    {{ return(found) }}
{% endmacro %}

{# Of a table of records, whose record a `raw_row` is. #}
{% macro record_key_of_row(table) %}
    {% for name in table.config.meta.key or [] %}
        {% set meta = table.columns[name].config.meta %}
        {% if meta.record_of and not meta.prefix %}
            {{ return(record_key(meta.record_of, 'raw_row.' ~ adapter.quote(name))) }}
        {% endif %}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}
