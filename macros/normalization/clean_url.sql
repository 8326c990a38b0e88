{# Marks the parameters to keep with U+0001 and whatever holds an address with U+0002, because a
   portable pattern cannot say "not followed by": then unmarked parameters go. #}
{% macro clean_url(expr) -%}
    {%- set kept = 'utm_[a-zA-Z_]+|gclid|dclid|wbraid|gbraid|msclkid|fbclid|ttclid' -%}
    {%- set steps = [
        ('[\u0001-\u001f\u007f]+', ''),
        ('^([^#]*)#[^\u0001]*$', '\\1'),
        ('^([a-zA-Z][a-zA-Z0-9+.-]*://|//)[^/?@]*@', '\\1'),
        ('[^/?&=@%]+(?:@|%40)[^/?&=]*', '\u0002'),
        ('([?&])((?:' ~ kept ~ ')=[^&\u0002]*)', '\\1\u0001\\2'),
        ('\u0001[^&\u0002]*\u0002[^&]*', ''),
        ('([?&])[^&?\u0001][^&]*', '\\1'),
        ('[?&][?&]*[?]', '?'),
        ('([?&])&+', '\\1'),
        ('[?&]+$', ''),
        ('\u0001', ''),
        ('\u0002', '[email]'),
    ] -%}
    {%- set ns = namespace(text=expr) -%}
    {%- for pattern, replacement in steps -%}
        {%- set ns.text = regexp_replace_all(ns.text, pattern, replacement) -%}
    {%- endfor -%}
    {{ ns.text }}
{%- endmacro %}
