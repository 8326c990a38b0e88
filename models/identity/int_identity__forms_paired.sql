-- Forms of two proven persons that meet in a block, once each.

with

forms_blocked as (

    select * from {{ ref('int_identity__forms_blocked') }}

)

select distinct
    one.form_id as left_form_id,
    other.form_id as right_form_id

from forms_blocked as one

inner join forms_blocked as other
    on
        one.block_id = other.block_id
        and one.form_id < other.form_id

where one.group_id != other.group_id
