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
    {%- set ranks = 'range(1, len(part.marks) + 1)' -%}
    {%- set threshold = 'greatest(1, least(26, 36 * step - part.biases[rank]))' -%}
    {%- set digit = "substring('abcdefghijklmnopqrstuvwxyz0123456789', cast(%s as bigint) + 1, 1)" -%}
    {%- set steps = [
        {'codes': 'list_transform(range(1, length(part.label) + 1), lambda place:'
            ~ ' unicode(substring(part.label, place, 1)))'},
        {'marks': 'list_sort(list_filter(list_transform(range(1, len(part.codes) + 1), lambda place:'
            ~ " {'code': part.codes[place], 'place': place}), lambda mark: mark.code > 127))"},
        {'slots': 'list_transform(part.marks, lambda mark:'
            ~ ' len(list_filter(part.codes[1:mark.place - 1], lambda code: code <= mark.code)))'},
        {'deltas': 'list_transform(' ~ ranks ~ ', lambda rank: case when rank = 1'
            ~ ' then (part.marks[1].code - 128) * (len(part.codes) - len(part.marks) + 1) + part.slots[1]'
            ~ ' else (part.marks[rank].code - part.marks[rank - 1].code)'
            ~ ' * (len(part.codes) - len(part.marks) + rank)'
            ~ ' + part.slots[rank] - part.slots[rank - 1] - 1 end)'},
        {'halves': 'list_transform(' ~ ranks
            ~ ', lambda rank: part.deltas[rank - 1] // (case when rank = 2 then 700 else 2 end))'},
        {'scaled': 'list_transform(' ~ ranks ~ ', lambda rank:'
            ~ ' part.halves[rank] + part.halves[rank] // (len(part.codes) - len(part.marks) + rank - 1))'},
        {'biases': 'list_transform(' ~ ranks ~ ', lambda rank: case when rank = 1 then 72 else '
            ~ punycode_bias('part.scaled[rank]', '//') ~ ' end)'},
        {'digits': 'list_transform(' ~ ranks ~ ', lambda rank: list_reduce(range(1, 9), lambda state, step: case'
            ~ ' when state.done then state when state.rest < ' ~ threshold
            ~ " then {'rest': 0::bigint, 'digits': state.digits || " ~ digit | format('state.rest') ~ ", 'done': true}"
            ~ " else {'rest': (state.rest - " ~ threshold ~ ') // (36 - ' ~ threshold ~ "), 'digits': state.digits || "
            ~ digit | format(threshold ~ ' + (state.rest - ' ~ threshold ~ ') % (36 - ' ~ threshold ~ ')')
            ~ ", 'done': false} end, {'rest': part.deltas[rank]::bigint, 'digits': '', 'done': false}).digits)"},
    ] -%}
    {%- set ns = namespace(
        rows='list_transform(string_split(' ~ expr ~ ", '.'), lambda label: {'label': label})"
    ) -%}
    {%- for step in steps -%}
        {%- for name, value in step.items() -%}
            {%- set ns.rows = 'list_transform(' ~ ns.rows ~ ', lambda part: struct_insert(part, '
                ~ name ~ ' := ' ~ value ~ '))' -%}
        {%- endfor -%}
    {%- endfor -%}
    array_to_string(
        list_transform({{ ns.rows }}, lambda part: case
            when len(part.marks) = 0 then part.label
            else 'xn--' || coalesce(nullif({{ regexp_replace_all('part.label', '[^ -~]+', '') }}, '') || '-', '')
                || array_to_string(part.digits, '')
        end),
        '.'
    )
{%- endmacro %}

{% macro postgres__domain_to_ascii(expr) -%}
    (
        select string_agg(
            case
                when {{ regexp_matches('part.label', '^[ -~]*$') }} then part.label
                else 'xn--' || coalesce(nullif({{ regexp_replace_all('part.label', '[^ -~]+', '') }}, '') || '-', '')
                    || {{ postgres__punycode_numbers('part.label') }}
            end,
            '.' order by part.place
        )
        from unnest(string_to_array({{ expr }}, '.')) with ordinality as part (label, place)
    )
{%- endmacro %}
