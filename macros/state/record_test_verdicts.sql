{# A sync is held by a failed test above it even when it is run by itself, hours after the
   build. Only changes are written, so an ordinary build costs one small query. #}
{% macro record_test_verdicts(results) %}
    {% set tests = results | selectattr('node.resource_type', 'equalto', 'test') | list %}
    {% if not execute or not tests %}{{ return('') }}{% endif %}
    {% set verdicts = source('state', 'test_verdicts') %}
    {% set failing = run_query(failing_tests()).columns[0].values() %}
    {% set changes = [] %}
    {% for test in tests %}
        {% set test_id, status = test.node.unique_id, test.status | string %}
        {% set has_failed = status in ('fail', 'error') %}
        {% if status in ('pass', 'warn', 'fail', 'error') and has_failed != (test_id in failing) %}
            {% do changes.append((test_id, 'failed' if has_failed else 'passed')) %}
        {% endif %}
    {% endfor %}
    {# A test that is no longer in the project never passes again. #}
    {% for test_id in failing if test_id not in graph.nodes %}
        {% do changes.append((test_id, 'removed')) %}
    {% endfor %}
    {% for test_id, verdict in changes %}
        {% call statement('record_verdict_' ~ loop.index) %}
            insert into {{ verdicts }} (test_id, change_number, verdict, decided_at)
            select
                {{ text_literal(test_id) }},
                count(*) + 1,
                {{ text_literal(verdict) }},
                cast({{ dbt.current_timestamp() }} as {{ dbt.type_timestamp() }})
            from {{ verdicts }}
            where test_id = {{ text_literal(test_id) }}
        {% endcall %}
    {% endfor %}
    {# Without a statement there is no transaction that could be committed. #}
    {% if changes %}{% do adapter.commit() %}{% endif %}
    {{ return('') }}
{% endmacro %}
