{# Not a ref: the registry is built after, from what is decided here, and until then it holds what
   the last run left. #}
{% macro former_customers() -%}
    {%- set registry = none -%}
    {%- if execute -%}
        {%- set registry = adapter.get_relation(this.database, this.schema, 'customer_id_registry') -%}
    {%- endif -%}
    {%- if registry is not none -%}
    select
        record_hash,
        customer_id
    from {{ registry }}
    where is_present
    {%- else -%}
    select
        cast(null as {{ dbt.type_string() }}) as record_hash,
        cast(null as {{ dbt.type_string() }}) as customer_id
    where 1 = 0
    {%- endif -%}
{%- endmacro %}
