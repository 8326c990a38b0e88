{# A portable pattern cannot say "all but": parameters to keep are marked with U+0001, then every
   unmarked one goes. #}
{% macro clean_url(expr) -%}
    {%- set printable = regexp_replace_all(expr, '[\u0001-\u0020\u007f]+', '') -%}
    {%- set page = regexp_replace_all(
        regexp_replace_all(
            regexp_extract('full_url', '^[^?#]*'), '^([a-zA-Z][a-zA-Z0-9+.-]*://|//)[^/]*@', '\\1'
        ),
        '[^/@%]+(?:@|%40)[^/]*',
        '[email]'
    ) -%}
    {%- set ns = namespace(
        query=regexp_replace_all(
            "'&' || substring(" ~ regexp_extract('full_url', '[?][^#]*') ~ ', 2)', '&[^&]*(?:@|%40)[^&]*', ''
        )
    ) -%}
    {%- for name in ['utm_', 'gclid=', 'dclid=', 'wbraid=', 'gbraid=', 'msclkid=', 'fbclid=', 'ttclid='] -%}
        {%- set ns.query = 'replace(' ~ ns.query ~ ", '&" ~ name ~ "', '&\u0001" ~ name ~ "')" -%}
    {%- endfor -%}
    {%- set kept = 'replace(' ~ regexp_replace_all(ns.query, '&(?:[^&\u0001][^&]*)?', '') ~ ", '\u0001', '&')" -%}
    case
        when not {{ regexp_matches(expr, '[\u0001-\u0020\u007f?#@%]') }} then {{ expr }}
        else {{ bind_value(
            'full_url',
            printable,
            "coalesce(" ~ page ~ ", '') || coalesce('?' || nullif(substring(" ~ kept ~ ", 2), ''), '')"
        ) }}
    end
{%- endmacro %}
