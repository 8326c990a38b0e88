{% macro punycode_bias(delta, divide) -%}
    case
        {%- for power in range(5) %}
        {%- set scaled = delta ~ ' ' ~ divide ~ ' ' ~ 35 ** power %}
        when {{ scaled }} <= 455
            then {{ 36 * power }} + 36 * ({{ scaled }}) {{ divide }} (({{ scaled }}) + 38)
        {%- endfor %}
    end
{%- endmacro %}
