{% macro not_latin_pattern() %}
    {{- return('[^\u0001-\u024f\u0300-\u036f\u1e00-\u1eff\u2000-\u206f]') -}}
{% endmacro %}
