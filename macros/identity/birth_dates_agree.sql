{% macro birth_dates_agree(left, right) -%}
    {%- set year_left = 'extract(year from ' ~ left ~ ')' -%}
    {%- set year_right = 'extract(year from ' ~ right ~ ')' -%}
    {%- set month_left = 'extract(month from ' ~ left ~ ')' -%}
    {%- set month_right = 'extract(month from ' ~ right ~ ')' -%}
    {%- set day_left = 'extract(day from ' ~ left ~ ')' -%}
    {%- set day_right = 'extract(day from ' ~ right ~ ')' -%}
    (
        {{ left }} = {{ right }}
        -- One part mistyped, or day and month exchanged.
        or (
            {{ year_left }} = {{ year_right }}
            and (
                {{ month_left }} = {{ month_right }}
                or {{ day_left }} = {{ day_right }}
                or ({{ month_left }} = {{ day_right }} and {{ day_left }} = {{ month_right }})
            )
        )
        -- A wrong year, but no generation apart: father and son are two persons.
        or (
            {{ month_left }} = {{ month_right }}
            and {{ day_left }} = {{ day_right }}
            and abs({{ year_left }} - {{ year_right }}) <= 10
        )
        -- 1 January is what forms fill in when only the year is known.
        or ({{ month_left }} = 1 and {{ day_left }} = 1)
        or ({{ month_right }} = 1 and {{ day_right }} = 1)
    )
{%- endmacro %}
