{# tag;length:value per column, the columns by name and null without a length. The lengths make
   the text unambiguous without escapes. Names are in the tag only, and the value of the key is
   nowhere, for rows are compared by their keys: md5 works in blocks of 64 bytes, and ten million
   rows feel each. It reads the same in Python (orchestration/sync/row_hash.py). #}
{% macro row_hash(columns, key, salt) %}
    {%- set names = columns | sort(case_sensitive=true) -%}
    {%- set parts = ["'" ~ local_md5(salt ~ ';' ~ names | join(','))[:8] ~ ";'"] -%}
    {%- for name in names if name != key -%}
        {%- do parts.extend(['length(' ~ name ~ ')', "':'", name]) -%}
    {%- endfor -%}
    {{ dbt.hash(concat_text(parts)) }}
{%- endmacro %}
