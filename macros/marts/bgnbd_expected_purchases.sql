{# The published form needs 2F1 at arguments that grow with the customer. Euler's
   transformation moves them into constants of the model, where the series converges
   fast. z and 1 - z are written out, as 1 - z loses digits for long horizons. #}
{% macro bgnbd_expected_purchases(
    repeat_count, age_weeks, horizon_weeks, r, alpha, a, b, terms=64
) -%}
    {%- set span = '(' ~ alpha ~ ' + ' ~ age_weeks ~ ' + ' ~ horizon_weeks ~ ')' -%}
    {%- set third = '(' ~ a ~ ' + ' ~ b ~ ' + ' ~ repeat_count ~ ' - 1)' -%}
    {%- set first = '(' ~ a ~ ' + ' ~ b ~ ' - ' ~ r ~ ' - 1)' -%}
    {%- set second = '(' ~ a ~ ' - 1)' -%}
    {%- set z = '(' ~ horizon_weeks ~ ' / ' ~ span ~ ')' -%}
    {%- set log_rest = 'ln((' ~ alpha ~ ' + ' ~ age_weeks ~ ') / ' ~ span ~ ')' -%}
    {{ third }} / {{ second }} * (
        1.0
        - {{ exp_clamped(second ~ ' * ' ~ log_rest) }}
        * {{ gauss_series(first, second, third, z, terms) }}
    )
{%- endmacro %}
