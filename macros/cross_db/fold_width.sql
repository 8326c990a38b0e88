{# The test first: `translate` is slow and full-width text rare. #}
{% macro fold_width(expr) -%}
    {%- set wide, narrow = [], [] -%}
    {%- for code in range(33, 127) -%}
        {%- do wide.append(('\\u%04x' | format(code + 65248)).encode().decode('unicode_escape')) -%}
        {%- do narrow.append('%c' | format(code)) -%}
    {%- endfor -%}
    case
        when {{ regexp_matches(expr, '[\uff01-\uff5e\u3000\u3002\uff61]') }}
            then translate(
                {{ expr }},
                {{ text_literal(wide | join ~ '\u3000\u3002\uff61') }},
                {{ text_literal(narrow | join ~ ' ..') }}
            )
        else {{ expr }}
    end
{%- endmacro %}
