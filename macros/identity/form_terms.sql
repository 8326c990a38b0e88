{# The attributes whose rarity weighs: those that a level of form_comparisons names as its term. #}
{% macro form_terms() %}
    {% set terms = [] %}
    {% for comparison in form_comparisons().values() %}
        {% do terms.extend(comparison.levels | map(attribute='term') | reject('none') | list) %}
    {% endfor %}
    {% do return(terms | unique | list) %}
{% endmacro %}
