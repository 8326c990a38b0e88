-- Pairs of forms drawn at random, which are strangers to each other but for a few: each form with
-- the next ones in an order that means nothing. Small data are drawn whole.

with

forms_described as (

    select * from {{ ref('int_identity__forms_described') }}

),

shuffled as (

    select
        form_id,
        group_id,
        row_number() over (order by {{ md5_hex('record_key') }}) as position,
        count(*) over () as form_count

    from forms_described

),

steps as (

    -- PostgreSQL counts in doubles here.
    select cast(generated_number as {{ dbt.type_bigint() }}) as step
    from ({{ dbt.generate_series(1000) }}) as numbers

),

sampled as (

    select
        one.form_id as left_form_id,
        other.form_id as right_form_id

    from shuffled as one

    inner join steps
        on
            steps.step <= {{ var('identity_fuzzy_sampled_pairs') }} / one.form_count
            and steps.step * 2 < one.form_count

    inner join shuffled as other
        on
            other.position
            = (one.position + steps.step - 1) % one.form_count + 1

    where one.group_id != other.group_id

),

compared as (

    {{ compare_forms('sampled', ref('int_identity__forms_described')) }}

)

select
    {%- for name in form_comparisons() %}
    {{ name }}_level{{ ',' if not loop.last }}
    {%- endfor %}

from compared
