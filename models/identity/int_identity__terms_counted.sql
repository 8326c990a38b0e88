-- How common each value is among the forms that state one: sharing a rare name says more.

with

forms_stated as (

    select * from {{ ref('int_identity__forms_stated') }}

),

terms as (

    {% for term in form_terms() %}
    select
        '{{ term }}' as term_type,
        {{ term }} as term
    from forms_stated
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

counted as (

    select
        term_type,
        term,
        count(*) as form_count,
        sum(count(*)) over (partition by term_type) as type_form_count

    from terms

    where term is not null

    group by
        term_type,
        term

)

select
    term_type,
    term,
    form_count,
    -{{ log2_of('cast(form_count as ' ~ type_double() ~ ') / type_form_count') }} as rarity

from counted
