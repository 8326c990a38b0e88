with

unpivoted as (

    select * from {{ ref('int_profiles__attributes_unpivoted') }}

),

source_priorities as (

    select * from {{ ref('source_priorities') }}

),

weighed as (

    select
        unpivoted.*,
        coalesce(own_priorities.priority, any_priorities.priority, 1000) as source_priority,
        length(unpivoted.value_key) as value_length,
        case when unpivoted.value_1 is not null then 1 else 0 end
        + case when unpivoted.value_2 is not null then 1 else 0 end
        + case when unpivoted.value_3 is not null then 1 else 0 end
        + case when unpivoted.value_4 is not null then 1 else 0 end as filled_count,
        count(*) over (
            partition by unpivoted.customer_id, unpivoted.attribute_group, unpivoted.value_key
        ) as value_record_count,
        -- A proof is about the address: it holds for every record that has it.
        max(case when unpivoted.is_verified then 1 else 0 end) over (
            partition by unpivoted.customer_id, unpivoted.attribute_group, unpivoted.value_key
        ) = 1 as is_value_verified,
        min({{ binary_order('unpivoted.record_key') }}) over (
            partition by unpivoted.customer_id, unpivoted.attribute_group, unpivoted.value_key
        ) = unpivoted.record_key as is_first_of_value

    from unpivoted

    left join source_priorities as own_priorities
        on
            unpivoted.attribute_group = own_priorities.attribute_group
            and unpivoted.source_name = own_priorities.source_name

    left join source_priorities as any_priorities
        on
            unpivoted.source_name = any_priorities.source_name
            and any_priorities.attribute_group = 'any'

),

ranked as (

    select
        customer_id,
        attribute_group,
        record_key,
        source_name,
        observed_at,
        value_1,
        value_2,
        value_3,
        value_4,
        is_value_verified,
        value_record_count,
        first_strategy || ' > ' || second_strategy || ' > ' || third_strategy as survivorship_rule,
        -- Ordered like the rank, though it needs no order: one sort serves both.
        sum(case when is_first_of_value then 1 else 0 end) over (
            partition by customer_id, attribute_group
            order by {{ survivorship_order() | indent(12) }}
            rows between unbounded preceding and unbounded following
        ) - 1 as alternative_count,
        row_number() over (
            partition by customer_id, attribute_group
            order by {{ survivorship_order() | indent(12) }}
        ) as survivorship_rank

    from weighed

)

select * from ranked
