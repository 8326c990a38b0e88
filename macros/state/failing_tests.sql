{# Tests whose last verdict was a failure. #}
{% macro failing_tests() -%}
    select test_id
    from {{ source('state', 'test_verdicts') }}
    group by test_id
    having max(change_number)
        = max(case when verdict = 'failed' then change_number else 0 end)
{%- endmacro %}
