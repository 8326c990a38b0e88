{% macro timestamp_from_epoch(expr, unit='seconds') %}
    {%- set factors = {'seconds': 1000000, 'milliseconds': 1000, 'microseconds': 1} -%}
    {%- if unit not in factors -%}
        {{ exceptions.raise_compiler_error('timestamp_from_epoch: unknown unit ' ~ unit) }}
    {%- endif -%}
    {%- set factor = '' if factors[unit] == 1 else ' * ' ~ factors[unit] -%}
    {%- set micros = 'cast(' ~ expr ~ ' as bigint)' ~ factor -%}
    {{- return(adapter.dispatch('timestamp_from_epoch', 'cdp')(micros)) -}}
{% endmacro %}

{# Seconds and the rest apart: an interval multiplied as a float would round. #}
{% macro default__timestamp_from_epoch(micros) -%}
    (
        timestamp '1970-01-01 00:00:00'
        + (({{ micros }}) / 1000000) * interval '1 second'
        + (({{ micros }}) % 1000000) * interval '1 microsecond'
    )
{%- endmacro %}

{% macro duckdb__timestamp_from_epoch(micros) -%}
    make_timestamp({{ micros }})
{%- endmacro %}

{% macro spark__timestamp_from_epoch(micros) -%}
    timestamp_micros({{ micros }})
{%- endmacro %}

{% macro snowflake__timestamp_from_epoch(micros) -%}
    to_timestamp_ntz({{ micros }}, 6)
{%- endmacro %}

{% macro bigquery__timestamp_from_epoch(micros) -%}
    timestamp_micros({{ micros }})
{%- endmacro %}
