{% macro valid_wall_time_pattern() %}
    {%- set clock = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.][0-9]{1,6})?' -%}
    {{- return(valid_date_pattern() ~ '[T ]' ~ clock) -}}
{% endmacro %}
