{# Percent signs of valid UTF-8 sequences become U+0002; the others stay what they are, for engines
   raise on a byte that is no UTF-8. #}
{% macro decode_percent(expr) -%}
    {%- set hex = '[0-9a-fA-F]' -%}
    {%- set more = '%([89abAB]' ~ hex ~ ')' -%}
    {%- set steps = [
        ('%([fF][1-3])' ~ more ~ more ~ more, '\u0002\\1\u0002\\2\u0002\\3\u0002\\4'),
        ('%([fF]0)%([9abAB]' ~ hex ~ ')' ~ more ~ more, '\u0002\\1\u0002\\2\u0002\\3\u0002\\4'),
        ('%([fF]4)%(8' ~ hex ~ ')' ~ more ~ more, '\u0002\\1\u0002\\2\u0002\\3\u0002\\4'),
        ('%([eE][1-9a-cA-CefEF])' ~ more ~ more, '\u0002\\1\u0002\\2\u0002\\3'),
        ('%([eE]0)%([abAB]' ~ hex ~ ')' ~ more, '\u0002\\1\u0002\\2\u0002\\3'),
        ('%([eE][dD])%([89]' ~ hex ~ ')' ~ more, '\u0002\\1\u0002\\2\u0002\\3'),
        ('%([cC][2-9a-fA-F]|[dD]' ~ hex ~ ')' ~ more, '\u0002\\1\u0002\\2'),
        ('%([2-7]' ~ hex ~ ')', '\u0002\\1'),
    ] -%}
    {%- set spaced = 'replace(replace(' ~ expr ~ ", '\u0002', ''), '+', ' ')" -%}
    case
        when {{ regexp_matches(expr, '[+%\u0002]') }}
            then {{ decode_marked_bytes(regexp_replace_steps(spaced, steps)) }}
        else {{ expr }}
    end
{%- endmacro %}
