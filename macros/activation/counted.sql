{# `rows_rejected=3` where there are any, else nothing: details hold what is worth a look. #}
{% macro counted(label, number) -%}
    case
        when {{ number }} > 0
            then {{ dbt.concat(["' " ~ label ~ "='", dbt.cast(number, dbt.type_string())]) }}
        else ''
    end
{%- endmacro %}
