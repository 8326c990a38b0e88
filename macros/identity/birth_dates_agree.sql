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

{# Father and son with one name. Year and day of the year differ at once, so it is no slip of the
   hand, which spoils one of them: 1955 for 1985 leaves 2 March. #}
{% macro are_births_a_generation_apart(left, right) -%}
    (
        not {{ birth_dates_agree(left, right) }}
        and abs(extract(year from {{ left }}) - extract(year from {{ right }})) >= 15
        and not (
            extract(month from {{ left }}) = extract(month from {{ right }})
            and extract(day from {{ left }}) = extract(day from {{ right }})
        )
    )
{%- endmacro %}
