{# Nulls pass: not_null is a test of its own. #}
{% test is_between(model, column_name, minimum, maximum) %}

    select {{ column_name }}
    from {{ model }}
    where {{ column_name }} < {{ minimum }} or {{ column_name }} > {{ maximum }}

{% endtest %}
