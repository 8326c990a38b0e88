with

rfm_scores as (

    select * from {{ ref('rfm_scores') }}

),

scored_values as (
{% for value, score in [
    ('recency_days', 'recency_score'),
    ('order_day_count', 'frequency_score'),
    ('net_revenue_reporting', 'monetary_score'),
] %}
        select
            '{{ score }}' as score_name,
            cast({{ value }} as decimal(18, 2)) as scored_value,
            {{ score }} as score

        from rfm_scores

        where {{ score }} is not null
        {% if not loop.last %}
            union all
        {% endif %}
    {%- endfor %}
),

split_values as (

    select
        score_name,
        scored_value

    from scored_values

    group by score_name, scored_value

    having count(distinct score) > 1

)

select * from split_values
