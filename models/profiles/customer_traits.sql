{% set bigint = dbt.type_bigint() %}
{% set windows = [] %}
{% for days in trait_windows() %}{% do windows.append(days ~ 'd') %}{% endfor %}
{% do windows.append('all') %}
{# greatest() skips nulls on some engines and not on others. #}
{% set epoch = "cast('1970-01-01' as " ~ dbt.type_timestamp() ~ ")" %}

with

identities as (

    select * from {{ ref('customer_identities') }}

),

event_traits as (

    select * from {{ ref('int_profiles__event_traits_aggregated') }}

),

order_traits as (

    select * from {{ ref('int_profiles__order_traits_aggregated') }}

),

voice_traits as (

    select * from {{ ref('int_profiles__voice_traits_aggregated') }}

),

known_customers as (

    select distinct customer_id
    from identities
    where not is_anonymous

),

traits as (

    select
        known_customers.customer_id,
        {{ as_of_date() }} as as_of,
        nullif(
            greatest(
                {%- for column in [
                    'event_traits.last_activity_at',
                    'order_traits.last_activity_at',
                    'voice_traits.last_feedback_at',
                    'voice_traits.last_ticket_at',
                ] %}
                    coalesce({{ column }}, {{ epoch }}){{ ',' if not loop.last }}
                {%- endfor %}
            ), {{ epoch }}
        ) as last_activity_at
        {%- for trait in event_traits() %}
            {%- for window in windows %}
                ,
                cast(coalesce(event_traits.{{ trait.name }}_count_{{ window }}, 0) as {{ bigint }})
                    as {{ trait.name }}_count_{{ window }}
            
                {%- endfor %},
            event_traits.last_{{ trait.name }}_at
        {%- endfor %},
        order_traits.first_order_at,
        order_traits.last_order_at,
        order_traits.last_shop_order_at,
        order_traits.last_store_order_at
        {%- for window in windows %}
            ,
            cast(coalesce(order_traits.order_count_{{ window }}, 0) as {{ bigint }})
                as order_count_{{ window }},
            cast(coalesce(order_traits.net_revenue_reporting_{{ window }}, 0) as decimal(18, 2))
                as net_revenue_reporting_{{ window }}
        
            {%- endfor %}
        {%- for count in ['shop_order_count_all', 'store_order_count_all', 'return_count_all'] %}
            ,
            cast(coalesce(order_traits.{{ count }}, 0) as {{ bigint }}) as {{ count }}
        
            {%- endfor %},
        cast(voice_traits.nps_score as {{ dbt.type_int() }}) as nps_score,
        voice_traits.last_nps_at,
        cast(coalesce(voice_traits.review_count_all, 0) as {{ bigint }}) as review_count_all,
        voice_traits.average_review_share,
        voice_traits.last_feedback_at,
        cast(coalesce(voice_traits.open_ticket_count, 0) as {{ bigint }}) as open_ticket_count
        {%- for window in windows %}
            ,
            cast(coalesce(voice_traits.ticket_count_{{ window }}, 0) as {{ bigint }})
                as ticket_count_{{ window }}
        
            {%- endfor %},
        voice_traits.last_ticket_at

    from known_customers

    left join event_traits
        on known_customers.customer_id = event_traits.customer_id

    left join order_traits
        on known_customers.customer_id = order_traits.customer_id

    left join voice_traits
        on known_customers.customer_id = voice_traits.customer_id

)

select * from traits
