{% macro is_one_slip_apart(left, right, prefix) -%}
    (
        -- The letter before typed twice, on the left or on the right; or two exchanged.
        (
            substr({{ left }}, {{ prefix }} + 2) = substr({{ right }}, {{ prefix }} + 1)
            and substr({{ left }}, {{ prefix }} + 1, 1) = substr({{ left }}, {{ prefix }}, 1)
        )
        or (
            substr({{ left }}, {{ prefix }} + 1) = substr({{ right }}, {{ prefix }} + 2)
            and substr({{ right }}, {{ prefix }} + 1, 1) = substr({{ right }}, {{ prefix }}, 1)
        )
        or (
            substr({{ left }}, {{ prefix }} + 1, 1) = substr({{ right }}, {{ prefix }} + 2, 1)
            and substr({{ left }}, {{ prefix }} + 2, 1) = substr({{ right }}, {{ prefix }} + 1, 1)
            and substr({{ left }}, {{ prefix }} + 3) = substr({{ right }}, {{ prefix }} + 3)
        )
    )
{%- endmacro %}
