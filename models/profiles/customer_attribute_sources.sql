{% set groups = attribute_groups() %}

with

ranked as (

    select * from {{ ref('int_profiles__attributes_ranked') }}

),

attributes as (

    {% for group, columns in groups.items() %}
        {%- set outer_loop = loop -%}
        {%- for column in columns %}
            select
                '{{ group }}' as attribute_group,
                '{{ column }}' as attribute_name,
                {{ loop.index }} as position
                        {{ 'union all' if not (loop.last and outer_loop.last) }}
        {% endfor %}
    {%- endfor %}

),

survivors as (

    select
        ranked.customer_id,
        attributes.attribute_name,
        ranked.record_key,
        ranked.source_name,
        ranked.survivorship_rule,
        ranked.observed_at,
        cast(ranked.alternative_count as {{ dbt.type_bigint() }}) as alternative_count,
        cast(ranked.value_record_count as {{ dbt.type_bigint() }}) as agreeing_record_count

    from ranked

    inner join attributes
        on ranked.attribute_group = attributes.attribute_group

    where
        ranked.survivorship_rank = 1
        and case attributes.position
            when 1 then ranked.value_1
            when 2 then ranked.value_2
            when 3 then ranked.value_3
            when 4 then ranked.value_4
        end is not null

)

select * from survivors
