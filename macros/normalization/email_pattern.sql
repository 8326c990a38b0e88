{% macro email_pattern() %}
    {%- set other = '\u00a1-\u00ac\u00ae-\u02af\u0300-\u167f\u1681-\u180d\u180f-\u1fff'
        ~ '\u2c00-\u2dff\u3005-\ud7ff\uf900-\ufdff\U00010000-\U000dffff' -%}
    {%- set atom = "[a-z0-9!#$%&'*+/=?^_`{|}~" ~ other ~ '-]+' -%}
    {%- set alphanumeric = '[a-z0-9' ~ other ~ ']' -%}
    {%- set label = alphanumeric ~ '(?:[a-z0-9' ~ other ~ '-]*' ~ alphanumeric ~ ')?' -%}
    {%- set top = '(?:[a-z' ~ other ~ ']{2,}|xn--[a-z0-9-]*[a-z0-9])' -%}
    {{- return('^' ~ atom ~ '(?:[.]' ~ atom ~ ')*@(?:' ~ label ~ '[.])+' ~ top ~ '$') -}}
{% endmacro %}
