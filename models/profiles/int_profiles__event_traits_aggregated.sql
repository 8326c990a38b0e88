-- One scan of the events for all behavioural traits and windows.

{% set as_of = as_of_timestamp() %}

with

events as (

    select * from {{ ref('events') }}

),

dated_events as (

    select
        customer_id,
        channel,
        event_type,
        occurred_at

    from events

    where
        customer_id is not null
        and not coalesce(has_bad_time, false)
        and occurred_at < {{ as_of }}

),

aggregated as (

    select
        customer_id,
        -- Mails sent or opened by a mail program and calls of ours are no sign of life.
        max(
            case
                when event_type = 'email_clicked' then occurred_at
                when channel != 'email' and event_type != 'call_outbound' then occurred_at
            end
        ) as last_activity_at
        {%- for trait in event_traits() %}
            {%- set condition = event_trait_condition(trait) %}
            {%- for days in trait_windows() %}
                ,
                sum(
                    case
                        when
                            {{ condition }}
                            and occurred_at >= {{ dbt.dateadd('day', -days, as_of) }}
                            then 1
                        else 0
                    end
                ) as {{ trait.name }}_count_{{ days }}d
            
                {%- endfor %},
            sum(case when {{ condition }} then 1 else 0 end) as {{ trait.name }}_count_all,
            max(case when {{ condition }} then occurred_at end) as last_{{ trait.name }}_at
        {%- endfor %}

    from dated_events

    group by customer_id

)

select * from aggregated
