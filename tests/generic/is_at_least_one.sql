{# For counts that exist only where there is something to count. #}
{% test is_at_least_one(model, column_name) %}

    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < 1 or {{ column_name }} is null

{% endtest %}
