{% macro union_contributors(subject) -%}
    {% set contributors = var('contributors')[subject] %}
    {% if not contributors %}
        {{ exceptions.raise_compiler_error(
            "vars.contributors." ~ subject ~ " is empty: list at least one model"
        ) }}
    {% endif %}
    {% for model in contributors %}
    select * from {{ ref(model) }}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
{%- endmacro %}
