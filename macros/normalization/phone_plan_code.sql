{% macro phone_plan_code(plan) %}
    {{- return(('t' if plan.trunk == '0' else '-') ~ ('b' if plan.bare else '-') ~ plan.code) -}}
{% endmacro %}
