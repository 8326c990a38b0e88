{% macro postgres__punycode_digits(label) -%}
    (
        with recursive letters as (
            select ascii(letter.sign) as code, letter.place
            from unnest(string_to_array({{ label }}, null)) with ordinality as letter (sign, place)
        ),

        marks as (
            select
                code,
                row_number() over (order by code, place) as rank,
                (
                    select count(*) from letters as earlier
                    where earlier.place < letters.place and earlier.code <= letters.code
                ) as slot,
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
                case
                    when rank = 1 then 72
                    else {{ punycode_bias('(half + half / points)', '/') }}
                end as bias
            from halved
        ),

        digits as (
            select
                rank,
                delta as rest,
                bias,
                1 as step,
                greatest(1, least(26, 36 - bias)) as threshold
            from biases

            union all

            select
                rank,
                (rest - threshold) / (36 - threshold),
                bias,
                step + 1,
                greatest(1, least(26, 36 * (step + 1) - bias))
            from digits
            where rest >= threshold
        ),

        signs as (
            select
                rank,
                step,
                case
                    when rest < threshold then {{ punycode_digit('rest') }}
                    else {{ punycode_digit('threshold + (rest - threshold) % (36 - threshold)') }}
                end as sign
            from digits
        )

        select string_agg(sign, '' order by rank, step) from signs
    )
{%- endmacro %}
