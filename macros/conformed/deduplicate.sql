{# One row per key. The last resort is the content itself: two versions that differ in
   nothing but a word must not swap places between runs or engines. #}
{% macro deduplicate(relation, key, order_by, content) -%}
    select * from (
        select
            *,
            count(*) over (partition by {{ key }}) as version_count,
            row_number() over (
                partition by {{ key }}
                order by
                    {{ order_by | join(', ') }},
                    {{ content_hash(content) }}
            ) as version_number
        from {{ relation }}
    ) as versions
    where version_number = 1
{%- endmacro %}
