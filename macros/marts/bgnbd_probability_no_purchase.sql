{% macro bgnbd_probability_no_purchase(
    p_alive, repeat_count, age_weeks, horizon_weeks, r, alpha
) -%}
    {%- set log_rest -%}
        ln(({{ alpha }} + {{ age_weeks }}) / ({{ alpha }} + {{ age_weeks }} + {{ horizon_weeks }}))
    {%- endset -%}
    1.0 - {{ p_alive }} * (
        1.0 - {{ exp_clamped('(' ~ r ~ ' + ' ~ repeat_count ~ ') * ' ~ log_rest) }}
    )
{%- endmacro %}
