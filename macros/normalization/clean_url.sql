{# A portable pattern cannot say "all but": parameters to keep are marked with U+0001, then every
   unmarked one goes. Each costly step is taken only by addresses that need it. #}
{% macro clean_url(expr) -%}
    {%- set printable = 'case when ' ~ regexp_matches(expr, '[\u0001-\u0020\u007f]') ~ ' then '
        ~ regexp_replace_all(expr, '[\u0001-\u0020\u007f]+', '') ~ ' else ' ~ expr ~ ' end' -%}
    {%- set page = regexp_extract('full_url', '^[^?#]*') -%}
    {%- set masked = regexp_replace_all(
        regexp_replace_all(page, '^([a-zA-Z][a-zA-Z0-9+.-]*://|//)[^/]*@', '\\1'),
        '[^/@%]+(?:@|%40)[^/]*',
        '[email]'
    ) -%}
    {%- set query = "'&' || substring(" ~ regexp_extract('full_url', '[?][^#]*') ~ ', 2)' -%}
    {%- set ns = namespace(
        marked='case when has_address then ' ~ regexp_replace_all(query, '&[^&]*(?:@|%40)[^&]*', '')
            ~ ' else ' ~ query ~ ' end'
    ) -%}
    {%- for name in ['utm_', 'gclid=', 'dclid=', 'wbraid=', 'gbraid=', 'msclkid=', 'fbclid=', 'ttclid='] -%}
        {%- set ns.marked = 'replace(' ~ ns.marked ~ ", '&" ~ name ~ "', '&\u0001" ~ name ~ "')" -%}
    {%- endfor -%}
    {%- set kept = 'replace(' ~ regexp_replace_all(ns.marked, '&(?:[^&\u0001][^&]*)?', '') ~ ", '\u0001', '&')" -%}
    {%- set whole = 'coalesce(case when has_address then ' ~ masked ~ ' else ' ~ page ~ " end, '')"
        ~ " || coalesce('?' || nullif(substring(" ~ kept ~ ", 2), ''), '')" -%}
    {%- set tag = '(?:utm_[a-z_]+|[gd]clid|[wg]braid|msclkid|fbclid|ttclid)=[^\u0001-\u0020\u007f&#@]*' -%}
    {%- set clean = '^[^\u0001-\u0020\u007f?#@]*(?:[?]' ~ tag ~ '(?:&' ~ tag ~ ')*)?$' -%}
    case
        when {{ regexp_matches(expr, clean) }} and not {{ regexp_matches(expr, '%40') }} then {{ expr }}
        else {{ bind_value('full_url', printable, bind_value(
            'has_address', regexp_matches('full_url', '@|%40'), whole
        )) }}
    end
{%- endmacro %}
