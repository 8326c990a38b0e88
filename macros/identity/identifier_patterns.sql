{# Read when the model is compiled and written into its SQL: DuckDB compiles a pattern that comes
   from a column again for each row, 40 s for a million values and four patterns. #}
{% macro identifier_patterns() %}
    {% set patterns = [] %}
    {% set rules, junk = ref('identifier_rules'), ref('junk_identifiers') %}
    {% if execute and load_relation(rules) is not none and load_relation(junk) is not none %}
        {% set sql %}
            select identifier_type, 'valid' as kind, valid_pattern as pattern
            from {{ rules }}
            where valid_pattern is not null
            union all
            select identifier_type, 'junk' as kind, pattern
            from {{ junk }}
            where pattern_kind = 'regex'
            order by 1, 2, 3
        {% endset %}
        {% for row in run_query(sql).rows %}
            {% do patterns.append(
                {'identifier_type': row[0], 'kind': row[1], 'pattern': row[2]}
            ) %}
        {% endfor %}
    {% endif %}
    {% do return(patterns) %}
{% endmacro %}
