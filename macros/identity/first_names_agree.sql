{% macro first_names_agree(left, right) -%}
    (
        {{ left }} = {{ right }}
        or {{ left }} like {{ right }} || '%'
        or {{ right }} like {{ left }} || '%'
        or {{ is_one_edit_apart(left, right, common_prefix_length(left, right)) }}
    )
{%- endmacro %}
