{% macro parse_timestamp(expr) -%}
    {%- set edge = character_class('space') ~ character_class('invisible') -%}
    {%- set iso = regexp_replace_steps(expr, [
        ("^['" ~ edge ~ ']+|[' ~ edge ~ ']+$', ''),
        (' ?(?:UTC|GMT|z)$', 'Z'),
        ('^([0-9]{2})/([0-9]{2})/([0-9]{4})', '\\3-\\2-\\1'),
        (
            '^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})',
            '\\1-\\2-\\3 \\4:\\5:\\6'
        ),
        ('^([0-9]{4}-[0-9]{2}-[0-9]{2})$', '\\1 00:00:00'),
        ('^([0-9-]{10}[T ][0-9]{2}:[0-9]{2})(Z|[ +-][ 0-9:+-]*)?$', '\\1:00\\2'),
        ('([T ]23:59):60', '\\1:59'),
        ('([T ]24:00:00)[.,]0+', '\\1'),
        ('(:[0-9]{2})[.,]([0-9]{1,6})[0-9]*', '\\1.\\2'),
        (' ([+-][0-9]{2}:?[0-9]{2})$', '\\1'),
    ]) -%}
    {%- set clock = '(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|24:00:00)' -%}
    {%- set offset = '(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)' -%}
    {%- set shape = '^' ~ valid_date_pattern() ~ '[T ]' ~ clock ~ '(?:[.][0-9]{1,6})?' ~ offset
        ~ '?$' -%}
    {%- set unix = '^[1-9][0-9]{9}(?:[.][0-9]{1,9}|[0-9]{3}|[0-9]{6}|[0-9]{9})?$' -%}
    {%- set micros = "substring(replace(iso_text, '.', '') || '000000', 1, 16)" -%}
    {{- bind_value(
        'iso_text',
        iso,
        'case when ' ~ regexp_matches('iso_text', shape) ~ ' then ' ~ read_iso_timestamp('iso_text')
        ~ ' when ' ~ regexp_matches('iso_text', unix) ~ ' then '
        ~ timestamp_from_epoch(micros, 'microseconds') ~ ' end'
    ) -}}
{%- endmacro %}
