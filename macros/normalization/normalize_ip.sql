{% macro normalize_ip(expr) -%}
    {%- set octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])' -%}
    {%- set four = octet ~ '(?:[.]' ~ octet ~ '){3}' -%}
    {%- set group = '[0-9a-f]{1,4}' -%}
    {%- set forms = [four, '(?:' ~ group ~ ':){7}' ~ group, '(?:' ~ group ~ ':){1,7}:', '::'] -%}
    {%- for before in range(7) -%}
        {%- set head = '(?:' ~ group ~ ':){' ~ before ~ '}' if before else ':' -%}
        {%- do forms.append(head ~ '(?::' ~ group ~ '){1,' ~ (7 - before) ~ '}') -%}
    {%- endfor -%}
    {%- set text = lower_ascii(trim_spaces(expr)) -%}
    {%- set plain = regexp_replace_all(text, '^::ffff:([0-9.]+)$', '\\1') -%}
    {{ regexp_extract(plain, '^(?:' ~ forms | join('|') ~ ')$') }}
{%- endmacro %}
