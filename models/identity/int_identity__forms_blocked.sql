-- Which forms are worth comparing: those that share a key of form_blocks with few others. All
-- pairs of a million forms would be half a billion thousands.

with

forms_described as (

    select * from {{ ref('int_identity__forms_described') }}

),

keys as (

    {% for name, parts in form_blocks().items() %}
    select
        {{ key_id("'" ~ name ~ ":' || " ~ parts | join(" || '|' || "), 0) }} as block_id,
        form_id,
        group_id
    from forms_described
    where
        {%- for part in parts %}
        {{ part }} is not null{{ ' and' if not loop.last }}
        {%- endfor %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- Small data can afford large blocks.
allowed as (

    select
        greatest(
            {{ var('identity_fuzzy_max_block') }},
            {{ var('identity_fuzzy_min_pairs') }} / greatest(count(*), 1)
        ) as max_block

    from forms_described

),

sized as (

    select keys.block_id

    from keys

    cross join allowed

    group by
        keys.block_id,
        allowed.max_block

    having
        count(*) <= allowed.max_block
        and min(keys.group_id) < max(keys.group_id)

)

select
    keys.block_id,
    keys.form_id,
    keys.group_id

from keys

inner join sized
    on keys.block_id = sized.block_id
