{% macro character_class(name) %}
    {%- set classes = {
        'space': ' \t\n\u000b\u000c\r\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000',
        'invisible': '\u00ad\u200b-\u200f\u202a\u202c\u2060-\u2064\u2066\u2068\u2069\ufeff',
        'direction': '\u202b\u202d\u202e\u2067',
    } -%}
    {{- return(classes[name]) -}}
{% endmacro %}
