-- Forms with all that is compared of them, ready to be read pair by pair.

with

forms_stated as (

    select * from {{ ref('int_identity__forms_stated') }}

),

terms_counted as (

    select * from {{ ref('int_identity__terms_counted') }}

),

nicknames as (

    select * from {{ ref('nicknames') }}

),

full_names as (

    select
        name_key,
        '|' || {{ dbt.listagg('canonical', "'|'", 'order by ' ~ binary_order('canonical')) }} || '|'
            as full_names

    from (
        select
            name_key,
            canonical
        from nicknames
        union
        -- Kate and Katie are short for Katherine, and she is herself.
        select
            canonical as name_key,
            canonical
        from nicknames
    ) as names

    group by name_key

),

described as (

    select
        forms_stated.*,
        full_names.full_names
        {%- for term in form_terms() %},
        {{ term }}_terms.rarity as {{ term }}_rarity
        {%- endfor %}

    from forms_stated

    left join full_names
        on forms_stated.first_name = full_names.name_key

    {% for term in form_terms() -%}
    left join terms_counted as {{ term }}_terms
        on
            {{ term }}_terms.term_type = '{{ term }}'
            and forms_stated.{{ term }} = {{ term }}_terms.term
    {% endfor %}
)

select * from described
