{# PostgreSQL's half of `domain_to_ascii`. #}
{% macro postgres__punycode_numbers(label) -%}
    (
        with recursive letters as (
            select ascii(letter.sign) as code, letter.place
            from unnest(string_to_array({{ label }}, null)) with ordinality as letter (sign, place)
        ),

        marks as (
            select
                code,
                row_number() over (order by code, place) as rank,
                (select count(*) from letters as before where before.place < letters.place and before.code <= letters.code)
                    as slot,
                (select count(*) from letters as plain where plain.code < 128) as plain_count
            from letters
            where code > 127
        ),

        deltas as (
            select
                rank,
                plain_count,
                (code - lag(code, 1, 128) over (order by rank)) * (plain_count + rank)
                    + slot - coalesce(lag(slot) over (order by rank) + 1, 0) as delta
            from marks
        ),

        halved as (
            select
                rank,
                delta,
                plain_count + rank - 1 as points,
                lag(delta) over (order by rank) / (case when rank = 2 then 700 else 2 end) as half
            from deltas
        ),

        biases as (
            select
                rank,
                delta,
                case when rank = 1 then 72 else {{ punycode_bias('(half + half / points)', '/') }} end as bias
            from halved
        ),

        digits as (
            select rank, 1 as step, delta as rest, bias, cast(null as bigint) as digit from biases

            union all

            select
                rank,
                step + 1,
                case
                    when rest >= greatest(1, least(26, 36 * step - bias))
                        then (rest - greatest(1, least(26, 36 * step - bias)))
                            / (36 - greatest(1, least(26, 36 * step - bias)))
                end,
                bias,
                case
                    when rest < greatest(1, least(26, 36 * step - bias)) then rest
                    else greatest(1, least(26, 36 * step - bias))
                        + (rest - greatest(1, least(26, 36 * step - bias)))
                        % (36 - greatest(1, least(26, 36 * step - bias)))
                end
            from digits
            where rest is not null
        )

        select string_agg(substring('abcdefghijklmnopqrstuvwxyz0123456789', cast(digit as int) + 1, 1), '' order by rank, step)
        from digits
        where digit is not null
    )
{%- endmacro %}
