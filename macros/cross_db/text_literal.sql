{% macro text_literal(value) %}
    {{- return(adapter.dispatch('text_literal', 'cdp')(value)) -}}
{% endmacro %}

{% macro default__text_literal(value) %}
    {{- return("'" ~ (value | replace("'", "''")) ~ "'") -}}
{% endmacro %}

{% macro spark__text_literal(value) %}
    {%- set escaped = value | replace('\\', '\\\\') | replace("'", "\\'") -%}
    {{- return("'" ~ (escaped | replace('\n', '\\n') | replace('\r', '\\r')) ~ "'") -}}
{% endmacro %}

{% macro snowflake__text_literal(value) %}
    {{- return(cdp.spark__text_literal(value)) -}}
{% endmacro %}

{% macro bigquery__text_literal(value) %}
    {{- return(cdp.spark__text_literal(value)) -}}
{% endmacro %}
