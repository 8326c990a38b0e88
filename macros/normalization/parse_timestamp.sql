{% macro parse_timestamp(expr) -%}
    {%- set edge = character_class('space') ~ character_class('invisible') -%}
    {%- set date = valid_date_pattern() -%}
    {%- set time = '(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|24:00:00)' -%}
    {%- set steps = [
        ("^['" ~ edge ~ ']+|[' ~ edge ~ ']+$', ''),
        (' ?(?:UTC|GMT|z)$', 'Z'),
        ('^([0-9]{2})/([0-9]{2})/([0-9]{4})', '\\3-\\2-\\1'),
        ('^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2}):?([0-9]{2}):?([0-9]{2})', '\\1-\\2-\\3 \\4:\\5:\\6'),
        ('^([0-9]{4}-[0-9]{2}-[0-9]{2})$', '\\1 00:00:00'),
        ('^([0-9-]{10}[T ][0-9]{2}:[0-9]{2})(Z|[ +-][ 0-9:+-]*)?$', '\\1:00\\2'),
        ('([T ]23:59):60', '\\1:59'),
        ('([T ]24:00:00)[.,]0+', '\\1'),
        ('(:[0-9]{2})[.,]([0-9]{1,6})[0-9]*', '\\1.\\2'),
        (' ([+-][0-9]{2}:?[0-9]{2})$', '\\1'),
    ] -%}
    {%- set ns = namespace(text=expr) -%}
    {%- for pattern, replacement in steps -%}
        {%- set ns.text = regexp_replace_all(ns.text, pattern, replacement) -%}
    {%- endfor -%}
    {%- set shape = '^' ~ date ~ '[T ]' ~ time ~ '(?:[.][0-9]{1,6})?(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)?$' -%}
    {%- set unix = '^[1-9][0-9]{9}(?:[.][0-9]{1,9}|[0-9]{3}|[0-9]{6}|[0-9]{9})?$' -%}
    {%- set text_type = dbt.type_string() -%}
    {%- set wall = cast_utc_timestamp(regexp_replace_all(
        regexp_extract('iso_text', '^[0-9-]+[T ][0-9:]+(?:[.][0-9]+)?'), '([T ])24:', '\\g<1>00:' | replace('\\g<1>', '\\1')
    )) -%}
    {%- set hours = 'coalesce(cast(' ~ regexp_extract('iso_text', ':[0-9.]+[+-]([0-9]{2}):?[0-9]*$', 1) ~ ' as int), 0)' -%}
    {%- set minutes = 'coalesce(cast(' ~ regexp_extract('iso_text', ':[0-9.]+[+-][0-9]{2}:?([0-9]{2})$', 1) ~ ' as int), 0)' -%}
    {%- set shift = "(case when " ~ regexp_matches('iso_text', '[T ]24:') ~ " then 1440 else 0 end + "
        ~ "(case when " ~ regexp_matches('iso_text', ':[0-9.]+[-][0-9:]+$') ~ " then 1 else -1 end) * ("
        ~ hours ~ ' * 60 + ' ~ minutes ~ '))' -%}
    {%- set micros = "substring(replace(iso_text, '.', '') || '000000', 1, 16)" -%}
    {{- bind_value(
        'iso_text',
        ns.text,
        'case when ' ~ regexp_matches('iso_text', shape) ~ ' then ' ~ dbt.dateadd('minute', shift, wall)
        ~ ' when ' ~ regexp_matches('iso_text', unix) ~ ' then '
        ~ timestamp_from_epoch(micros, 'microseconds') ~ ' end'
    ) -}}
{%- endmacro %}
