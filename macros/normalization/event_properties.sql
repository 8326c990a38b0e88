{% macro event_properties(expression) -%}
    case
        when {{ expression }} is null or {{ expression }} in ('', '{}') then null
        when {{ is_valid_json(expression) }} then {{ scrub_text(expression) }}
    end
{%- endmacro %}
