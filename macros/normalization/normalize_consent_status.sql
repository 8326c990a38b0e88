{% macro normalize_consent_status(expression) -%}
    case lower({{ clean_text(expression) }})
        when 'granted' then 'granted'
        when 'denied' then 'denied'
        when 'withdrawn' then 'withdrawn'
        when 'opted_out' then 'opted_out'
        else 'unknown'
    end
{%- endmacro %}
