{# The part after `select`, of refused rows. They were never loaded and are known by an address in
   their text alone, as a word of it. #}
{% macro rejections_of(identifiers) -%}
    {%- set marks = ',;:"<>()[]{}=|\t\r\n' -%}
    {%- set words = "translate(lower(rejections.raw_text), '" ~ marks ~ "', '" ~ ' ' * marks | length ~ "')" -%}
    {%- set text = "' ' || " ~ words ~ " || ' '" -%}
    from {{ source('state', 'landing_rejections') }} as rejections
    inner join {{ identifiers }} as identifiers
        on {{ dbt.position("' ' || identifiers.identifier_value || ' '", text) }} > 0
    where identifiers.identifier_type = 'email'
{%- endmacro %}
