{% macro store_time_zone(store_id) -%}
    {%- set zones = var('store_time_zones') -%}
    case substr({{ store_id }}, 1, 2)
        {%- for country, zone in zones.items() if country != 'default' %}
        when {{ text_literal(country) }} then {{ text_literal(zone) }}
        {%- endfor %}
        else {{ text_literal(zones['default']) }}
    end
{%- endmacro %}
