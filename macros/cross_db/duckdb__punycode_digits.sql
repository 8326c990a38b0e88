{# A delta has at most seven digits in a label of 63 letters. #}
{% macro duckdb__punycode_digits(delta, bias) -%}
    {%- set threshold = 'greatest(1, least(26, 36 * step - ' ~ bias ~ '))' -%}
    {%- set radix = '(36 - ' ~ threshold ~ ')' -%}
    {%- set last = 'state.rest' -%}
    {%- set next = threshold ~ ' + (state.rest - ' ~ threshold ~ ') % ' ~ radix -%}
    list_reduce(
        range(1, 9),
        lambda state, step: case
            when state.done then state
            when state.rest < {{ threshold }}
                then {
                    'rest': 0::bigint,
                    'digits': state.digits || {{ punycode_digit(last) }},
                    'done': true
                }
            else {
                'rest': (state.rest - {{ threshold }}) // {{ radix }},
                'digits': state.digits || {{ punycode_digit(next) }},
                'done': false
            }
        end,
        {'rest': {{ delta }}::bigint, 'digits': '', 'done': false}
    ).digits
{%- endmacro %}
