{# delete+insert, but an interval that is empty is only deleted. #}
{% macro get_incremental_replace_intervals_sql(arg_dict) %}
    {% set target = arg_dict['target_relation'] %}
    {% set changes = arg_dict['temp_relation'] %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}

    delete from {{ target }} as stored
    where exists (
        select 1
        from {{ changes }} as changes
        where
            {% for key in arg_dict['unique_key'] -%}
            stored.{{ key }} = changes.{{ key }}
            {{ 'and' if not loop.last }}
            {% endfor %}
    );

    insert into {{ target }} ({{ columns }})
    select {{ columns }}
    from {{ changes }}
    where exited_on is null or exited_on > entered_on
{% endmacro %}
