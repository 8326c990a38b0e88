{% macro bgnbd_probability_alive(repeat_count, recency_weeks, age_weeks, r, alpha, a, b) -%}
    {%- set log_ratio -%}
        ln(({{ alpha }} + {{ age_weeks }}) / ({{ alpha }} + {{ recency_weeks }}))
    {%- endset -%}
    1.0 / (
        1.0
        + {{ a }} / ({{ b }} + {{ repeat_count }} - 1)
        * {{ exp_clamped('(' ~ r ~ ' + ' ~ repeat_count ~ ') * ' ~ log_ratio) }}
    )
{%- endmacro %}
