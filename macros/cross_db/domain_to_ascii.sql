{# Punycode without a loop over the text: the letters to insert are known in advance (code point,
   then place), so each one's delta is a difference of neighbours and its bias depends on the
   delta before it only. What is left to iterate are the few digits of one delta (RFC 3492, 6). #}
{% macro domain_to_ascii(expr) %}
    {{- return(adapter.dispatch('domain_to_ascii', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__domain_to_ascii(expr) -%}
    {{ expr }}
{%- endmacro %}

{# A chain of steps, each a lambda over the rows of the one before: lambdas inside lambdas would
   double DuckDB's planning time per level. #}
{% macro duckdb__domain_to_ascii(expr) -%}
    {%- set each_mark = 'list_transform(range(1, len(part.marks) + 1), lambda rank: ' -%}
    {%- set plain_count = '(len(part.codes) - len(part.marks))' -%}
    {%- set steps = {
        'codes': 'list_transform(range(1, length(part.label) + 1), lambda place:'
            ~ ' unicode(substring(part.label, place, 1)))',
        'letters': 'list_transform(range(1, len(part.codes) + 1), lambda place:'
            ~ " {'code': part.codes[place], 'place': place})",
        'marks': 'list_sort(list_filter(part.letters, lambda letter: letter.code > 127))',
        'slots': 'list_transform(part.marks, lambda mark: len(list_filter('
            ~ 'part.codes[1:mark.place - 1], lambda code: code <= mark.code)))',
        'deltas': each_mark ~ 'case when rank = 1'
            ~ ' then (part.marks[1].code - 128) * (' ~ plain_count ~ ' + 1) + part.slots[1]'
            ~ ' else (part.marks[rank].code - part.marks[rank - 1].code)'
            ~ ' * (' ~ plain_count ~ ' + rank)'
            ~ ' + part.slots[rank] - part.slots[rank - 1] - 1 end)',
        'halves': each_mark
            ~ 'part.deltas[rank - 1] // (case when rank = 2 then 700 else 2 end))',
        'scaled': each_mark
            ~ 'part.halves[rank] + part.halves[rank] // (' ~ plain_count ~ ' + rank - 1))',
        'biases': each_mark
            ~ 'case when rank = 1 then 72 else '
            ~ punycode_bias('part.scaled[rank]', '//') ~ ' end)',
        'digits': each_mark
            ~ duckdb__punycode_digits('part.deltas[rank]', 'part.biases[rank]') ~ ')',
    } -%}
    {%- set labels = 'string_split(' ~ expr ~ ", '.')" -%}
    {%- set ns = namespace(
        parts='list_transform(' ~ labels ~ ", lambda label: {'label': label})"
    ) -%}
    {%- for name, value in steps.items() -%}
        {%- set ns.parts = 'list_transform(' ~ ns.parts ~ ', lambda part: struct_insert(part, '
            ~ name ~ ' := ' ~ value ~ '))' -%}
    {%- endfor -%}
    array_to_string(
        list_transform({{ ns.parts }}, lambda part: case
            when len(part.marks) = 0 then part.label
            else {{ punycode_prefix('part.label') }} || array_to_string(part.digits, '')
        end),
        '.'
    )
{%- endmacro %}

{% macro postgres__domain_to_ascii(expr) -%}
    (
        select string_agg(
            case
                when {{ regexp_matches('part.label', '^[ -~]*$') }} then part.label
                else {{ punycode_prefix('part.label') }}
                    || {{ postgres__punycode_digits('part.label') }}
            end,
            '.' order by part.place
        )
        from unnest(string_to_array({{ expr }}, '.')) with ordinality as part (label, place)
    )
{%- endmacro %}
