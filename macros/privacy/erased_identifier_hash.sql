{# Salted, so that nobody looks the hashes up in a list made beforehand. Who may read the warehouse
   can try addresses one by one all the same. #}
{% macro erased_identifier_hash(identifier_type, identifier_value) -%}
    {%- set salt = '(select max(salt) from ' ~ source('state', 'erasure_salts') ~ ')' -%}
    {{ sha256_hex(concat_text([salt, "':'", identifier_type, "':'", identifier_value])) }}
{%- endmacro %}
