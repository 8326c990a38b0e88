{% macro is_one_edit_apart(left, right, prefix) -%}
    (
        -- One letter replaced, added at the right, added at the left, or two exchanged.
        substr({{ left }}, {{ prefix }} + 2) = substr({{ right }}, {{ prefix }} + 2)
        or substr({{ left }}, {{ prefix }} + 1) = substr({{ right }}, {{ prefix }} + 2)
        or substr({{ left }}, {{ prefix }} + 2) = substr({{ right }}, {{ prefix }} + 1)
        or (
            substr({{ left }}, {{ prefix }} + 1, 1) = substr({{ right }}, {{ prefix }} + 2, 1)
            and substr({{ left }}, {{ prefix }} + 2, 1) = substr({{ right }}, {{ prefix }} + 1, 1)
            and substr({{ left }}, {{ prefix }} + 3) = substr({{ right }}, {{ prefix }} + 3)
        )
    )
{%- endmacro %}
