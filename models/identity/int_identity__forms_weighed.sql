{{ config(pre_hook="{{ disable_jit() }}") }}
-- Pairs of forms with the level that each comparison reaches and its weight in bits. Pairs that
-- no share of matches among all pairs could make likely are left out.

with

forms_paired as (

    select
        left_form_id,
        right_form_id
    from {{ ref('int_identity__forms_paired') }}

),

form_count as (

    select greatest(count(*), 2) as form_count from {{ ref('int_identity__forms_described') }}

),

weighed as (

    {{ weigh_forms('forms_paired', ref('int_identity__forms_described')) }}

),

added as (

    {{ add_up_weights('weighed') }}

)

select
    left_form_id,
    right_form_id,
    {%- for name in form_comparisons() %}
    {{ name }}_level,
    {{ name }}_weight,
    {%- endfor %}
    evidence,
    household_evidence

from added

cross join form_count

-- A thousandth, if every form had one other of its person.
where evidence > {{ log2_of('cast(form_count as ' ~ type_double() ~ ')') }} - 10
