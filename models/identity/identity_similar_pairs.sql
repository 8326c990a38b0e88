-- Proven persons that look alike, by the two of their records that look most alike: what speaks
-- for one person, comparison by comparison in bits, how likely it is, and what came of it.

with

forms_scored as (

    select * from {{ ref('int_identity__forms_scored') }}

),

forms_described as (

    select
        form_id,
        group_id,
        record_key
    from {{ ref('int_identity__forms_described') }}

),

customer_identities as (

    select * from {{ ref('customer_identities') }}

),

ranked as (

    select
        forms_scored.*,
        left_forms.record_key as left_record_key,
        right_forms.record_key as right_record_key,
        row_number() over (
            partition by
                least(left_forms.group_id, right_forms.group_id),
                greatest(left_forms.group_id, right_forms.group_id)
            order by
                forms_scored.probability desc,
                forms_scored.weight desc,
                forms_scored.left_form_id asc,
                forms_scored.right_form_id asc
        ) as place

    from forms_scored

    inner join forms_described as left_forms
        on forms_scored.left_form_id = left_forms.form_id

    inner join forms_described as right_forms
        on forms_scored.right_form_id = right_forms.form_id

),

placed as (

    select
        ranked.left_record_key,
        ranked.right_record_key,
        left_identities.customer_id as left_customer_id,
        right_identities.customer_id as right_customer_id,
        {%- for name in form_comparisons() %}
        ranked.{{ name }}_level,
        cast(ranked.{{ name }}_weight as decimal(9, 4)) as {{ name }}_weight,
        {%- endfor %}
        cast(ranked.weight as decimal(9, 4)) as weight,
        cast(ranked.probability as decimal(9, 4)) as probability,
        case
            when left_identities.customer_id = right_identities.customer_id then 'joined'
            when ranked.probability >= {{ var('identity_fuzzy_merge_probability') }} then 'refused'
            else 'review'
        end as outcome

    from ranked

    inner join customer_identities as left_identities
        on ranked.left_record_key = left_identities.record_key

    inner join customer_identities as right_identities
        on ranked.right_record_key = right_identities.record_key

    where ranked.place = 1

)

select * from placed
