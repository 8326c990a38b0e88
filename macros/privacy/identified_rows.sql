{# The part after `select`, of rows `held` of a raw table that a column identifies and of `known`,
   whom. A value is read once, however many rows have it. #}
{% macro identified_rows(table, column, known, identifier, of_others=false) -%}
    {%- set no_text = 'cast(null as ' ~ dbt.type_string() ~ ')' -%}
    from {{ table.relation_name }} as held
    inner join (
        {%- for value in column['values'] %}
        select
            given,
            companion,
            {{ identifier(column.type, value) }} as identifier
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
            held.{{ column.name }} = named.given
            {%- if column.companion %}
            and coalesce(held.{{ column.companion }}, '') = coalesce(named.companion, '')
            {%- endif %}
    inner join {{ known }} as known
        on named.identifier = known.identifier
    where
        {% if column.unless -%}
        {{ null_if_placeholder('held.' ~ column.unless) }} is {{ 'not' if of_others }} null
        {%- else -%}
        true
        {%- endif %}
{%- endmacro %}

{# Of a table of records, whose record a row `held` is. #}
{% macro record_key_of_row(table) %}
    {% for name in table.config.meta.key or [] %}
        {% set meta = table.columns[name].config.meta %}
        {% if meta.record_of and not meta.prefix %}
            {{ return(record_key(meta.record_of, 'held.' ~ adapter.quote(name))) }}
        {% endif %}
    {% endfor %}
    {{ return(none) }}
{% endmacro %}
