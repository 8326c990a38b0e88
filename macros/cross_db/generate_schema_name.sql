{# The folder's schema as it is: `marts.customers` on every target, without the
   profile's schema in front. Environments are told apart by database. #}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
