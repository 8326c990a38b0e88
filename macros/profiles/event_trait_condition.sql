{% macro event_trait_condition(trait) -%}
    {%- set conditions = [] -%}
    {%- if trait.channel -%}
        {%- do conditions.append("channel = '" ~ trait.channel ~ "'") -%}
    {%- endif -%}
    {%- if trait.event_types -%}
        {%- do conditions.append("event_type in ('" ~ trait.event_types | join("', '") ~ "')") -%}
    {%- endif -%}
    {{ conditions | join(' and ') }}
{%- endmacro %}
