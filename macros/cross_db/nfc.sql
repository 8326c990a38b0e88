{% macro nfc(expr) %}
    {{- return(adapter.dispatch('nfc', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__nfc(expr) -%}
    normalize({{ expr }}, NFC)
{%- endmacro %}

{% macro duckdb__nfc(expr) -%}
    nfc_normalize({{ expr }})
{%- endmacro %}

{# Neither has a built-in; land text in NFC there. #}
{% macro spark__nfc(expr) -%}
    {{ expr }}
{%- endmacro %}

{% macro snowflake__nfc(expr) -%}
    {{ expr }}
{%- endmacro %}
