{# Punycode without a loop over the text: the letters to insert are known in advance (code point,
   then place), so each one's delta is a difference of neighbours and its bias depends on the
   delta before it only. What is left to iterate are the few digits of one delta (RFC 3492, 6). #}
{% macro domain_to_ascii(expr) %}
    {{- return(adapter.dispatch('domain_to_ascii', 'cdp')(expr)) -}}
{% endmacro %}

{% macro default__domain_to_ascii(expr) -%}
    {{ expr }}
{%- endmacro %}

{% macro duckdb__domain_to_ascii(expr) -%}
    {%- set digit = "substring('abcdefghijklmnopqrstuvwxyz0123456789', cast(%s as bigint) + 1, 1)" -%}
    {%- set threshold = 'greatest(1, least(26, 36 * step - biases[rank]))' -%}
    {%- set last_digit = digit | format('state.rest') -%}
    {%- set next_digit = digit | format('threshold + (state.rest - threshold) % (36 - threshold)') -%}
    {%- set next_state = bind_value('threshold', threshold,
        "case when state.done then state"
        ~ " when state.rest < threshold then {'rest': 0::bigint, 'digits': state.digits || " ~ last_digit ~ ", 'done': true}"
        ~ " else {'rest': (state.rest - threshold) // (36 - threshold), 'digits': state.digits || " ~ next_digit
        ~ ", 'done': false} end") -%}
    {%- set number = 'list_reduce(range(1, 9), lambda state, step: ' ~ next_state
        ~ ", {'rest': deltas[rank]::bigint, 'digits': '', 'done': false}).digits" -%}
    {%- set ranks = 'range(1, len(marks) + 1)' -%}
    {%- set numbers = 'list_aggregate(list_transform(' ~ ranks ~ ', lambda rank: ' ~ number ~ "), 'string_agg', '')" -%}
    {%- set biases = 'list_transform(' ~ ranks ~ ', lambda rank: case when rank = 1 then 72 else '
        ~ bind_value('halved', 'deltas[rank - 1] // (case when rank = 2 then 700 else 2 end)',
            bind_value('delta', 'halved + halved // (plain_count + rank - 1)', punycode_bias('delta', '//'))) ~ ' end)' -%}
    {%- set deltas = 'list_transform(' ~ ranks ~ ', lambda rank: case when rank = 1'
        ~ ' then (marks[1].code - 128) * (plain_count + 1) + slots[1]'
        ~ ' else (marks[rank].code - marks[rank - 1].code) * (plain_count + rank) + slots[rank] - slots[rank - 1] - 1 end)' -%}
    {%- set slots = 'list_transform(marks, lambda mark: len(list_filter(codes[1:mark.place - 1], lambda code: code <= mark.code)))' -%}
    {%- set marks = "list_sort(list_filter(list_transform(range(1, len(codes) + 1), lambda place:"
        ~ " {'code': codes[place], 'place': place}), lambda mark: mark.code > 127))" -%}
    {%- set codes = 'list_transform(range(1, length(label) + 1), lambda place: unicode(substring(label, place, 1)))' -%}
    {%- set encoded = bind_value('codes', codes, bind_value('marks', marks, bind_value('slots', slots,
        bind_value('plain_count', 'len(codes) - len(marks)', bind_value('deltas', deltas,
        bind_value('biases', biases, numbers)))))) -%}
    array_to_string(
        list_transform(
            string_split({{ expr }}, '.'),
            lambda label: case
                when {{ regexp_matches('label', '^[ -~]*$') }} then label
                else 'xn--' || coalesce(nullif({{ regexp_replace_all('label', '[^ -~]+', '') }}, '') || '-', '') || {{ encoded }}
            end
        ),
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
