{# Salted with the key, so that two people of one town do not have one hash. Six digits tell a
   change from none (one in 16 million is missed, and only in what is shown; row_hash decides). #}
{% macro field_hashes(columns, key, salt) %}
    {%- set hashes = [] -%}
    {%- for name in columns | sort(case_sensitive=true) -%}
        {%- set tag = "'" ~ local_md5(salt ~ ';' ~ name)[:8] ~ ";'" -%}
        {%- set text = concat_text([tag, key, "';'", 'length(' ~ name ~ ')', "':'", name]) -%}
        {%- do hashes.append('substr(' ~ dbt.hash(text) ~ ', 1, 6)') -%}
    {%- endfor -%}
    {{ concat_text(hashes) }}
{%- endmacro %}
