{# Default: the table is written again beside itself and swapped, for Parquet on Spark knows
   no delete. Elsewhere only the rows are written; the caller's transaction makes it one step. #}
{% macro replace_rows(relation, key_columns, doomed_sql, fresh_sql) %}
    {% do adapter.dispatch('replace_rows', 'cdp')(relation, key_columns, doomed_sql, fresh_sql) %}
{% endmacro %}

{% macro default__replace_rows(relation, key_columns, doomed_sql, fresh_sql) %}
    {% set rewritten = make_intermediate_relation(relation) %}
    {% do drop_relation_if_exists(load_cached_relation(rewritten)) %}
    {% set sql %}
        select stored.*
        from {{ relation }} as stored
        where not {{ rows_match('stored', '(' ~ doomed_sql ~ ')', key_columns) }}
        union all
        {{ fresh_sql }}
    {% endset %}
    {% call statement('rewrite') %}
        {{ get_create_table_as_sql(False, rewritten, sql) }}
    {% endcall %}
    {% do adapter.drop_relation(relation) %}
    {% do adapter.rename_relation(rewritten, relation) %}
{% endmacro %}

{# One column alone is looked for while the table is read, which spares DuckDB half the time. #}
{% macro duckdb__replace_rows(relation, key_columns, doomed_sql, fresh_sql) %}
    {% set first = key_columns[0] %}
    {% call statement('replace') %}
        delete from {{ relation }} as stored
        where
            stored.{{ first }} in (select doomed.{{ first }} from ({{ doomed_sql }}) as doomed)
            {%- if key_columns | length > 1 %}
            and {{ rows_match('stored', '(' ~ doomed_sql ~ ')', key_columns) }}
            {%- endif %}
        ;
        insert into {{ relation }} {{ fresh_sql }}
    {% endcall %}
{% endmacro %}

{% macro postgres__replace_rows(relation, key_columns, doomed_sql, fresh_sql) %}
    {% do cdp.duckdb__replace_rows(relation, key_columns, doomed_sql, fresh_sql) %}
{% endmacro %}

{% macro rows_match(alias, other, key_columns) -%}
    exists (
        select 1 from {{ other }} as other
        where {% for column in key_columns -%}
        other.{{ column }} = {{ alias }}.{{ column }}{{ ' and ' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
