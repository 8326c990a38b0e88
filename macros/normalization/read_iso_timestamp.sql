{# 24:00 is read as 00:00 and a day added, because not every engine casts it. #}
{% macro read_iso_timestamp(expr) -%}
    {%- set clock = regexp_extract(expr, '^[0-9-]+[T ][0-9:]+(?:[.][0-9]+)?') -%}
    {%- set wall = cast_utc_timestamp(regexp_replace_all(clock, '([T ])24:', '\\1' ~ '00:')) -%}
    {%- set hours = regexp_extract(expr, ':[0-9.]+[+-]([0-9]{2}):?[0-9]*$', 1) -%}
    {%- set minutes = regexp_extract(expr, ':[0-9.]+[+-][0-9]{2}:?([0-9]{2})$', 1) -%}
    {%- set shift = 'case when ' ~ regexp_matches(expr, '[T ]24:') ~ ' then 1440 else 0 end'
        ~ ' + case when ' ~ regexp_matches(expr, ':[0-9.]+-[0-9:]+$') ~ ' then 1 else -1 end'
        ~ ' * (coalesce(cast(' ~ hours ~ ' as int), 0) * 60'
        ~ ' + coalesce(cast(' ~ minutes ~ ' as int), 0))' -%}
    {{ dbt.dateadd('minute', '(' ~ shift ~ ')', wall) | trim }}
{%- endmacro %}
