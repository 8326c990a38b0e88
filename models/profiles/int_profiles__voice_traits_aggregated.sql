-- What customers said: surveys, reviews and support tickets, one scan of each.

{% set as_of = as_of_timestamp() %}

with

feedback as (

    select * from {{ ref('feedback') }}

),

support_tickets as (

    select * from {{ ref('support_tickets') }}

),

identities as (

    select * from {{ ref('customer_identities') }}

),

answers as (

    select
        identities.customer_id,
        feedback.feedback_type,
        feedback.score,
        feedback.score_max,
        feedback.submitted_at,
        row_number() over (
            partition by identities.customer_id, feedback.feedback_type
            order by feedback.submitted_at desc, {{ binary_order('feedback.feedback_id') }} asc
        ) as recency_rank

    from feedback

    inner join identities
        on feedback.record_key = identities.record_key

    where
        feedback.score is not null
        and feedback.submitted_at < {{ as_of }}

),

feedback_traits as (

    select
        customer_id,
        max(case when feedback_type = 'nps' and recency_rank = 1 then score end) as nps_score,
        max(case when feedback_type = 'nps' then submitted_at end) as last_nps_at,
        sum(case when feedback_type = 'review' then 1 else 0 end) as review_count_all,
        -- Doubles add up to another last digit in another order; decimals do not.
        cast(
            avg(
                case
                    when feedback_type = 'review'
                        then cast(
                            cast(score as {{ type_double() }}) / nullif(score_max, 0)
                            as decimal(18, 12)
                        )
                end
            ) as {{ type_double() }}
        ) as average_review_share,
        max(submitted_at) as last_feedback_at

    from answers

    group by customer_id

),

ticket_traits as (

    select
        identities.customer_id,
        sum(
            case
                when
                    support_tickets.closed_at >= {{ as_of }}
                    or (support_tickets.is_open and support_tickets.closed_at is null)
                    then 1
                else 0
            end
        ) as open_ticket_count
        {%- for days in trait_windows() %}
            ,
            sum(
                case
                    when support_tickets.opened_at >= {{ dbt.dateadd('day', -days, as_of) }}
                        then 1
                    else 0
                end
            ) as ticket_count_{{ days }}d
        
            {%- endfor %},
        count(*) as ticket_count_all,
        max(support_tickets.opened_at) as last_ticket_at

    from support_tickets

    inner join identities
        on support_tickets.record_key = identities.record_key

    where support_tickets.opened_at < {{ as_of }}

    group by identities.customer_id

),

voices as (

    select
        coalesce(feedback_traits.customer_id, ticket_traits.customer_id) as customer_id,
        feedback_traits.nps_score,
        feedback_traits.last_nps_at,
        feedback_traits.review_count_all,
        feedback_traits.average_review_share,
        feedback_traits.last_feedback_at,
        ticket_traits.open_ticket_count
        {%- for days in trait_windows() %}
            ,
            ticket_traits.ticket_count_{{ days }}d
        
            {%- endfor %},
        ticket_traits.ticket_count_all,
        ticket_traits.last_ticket_at

    from feedback_traits

    full outer join ticket_traits
        on feedback_traits.customer_id = ticket_traits.customer_id

)

select * from voices
