-- The weights of the seed, made true for the data at hand: how often strangers agree is counted.
-- Where telephones come from one block of numbers, one wrong digit says little. A level is never
-- thought rarer than the seed says: a sample does not show what is rare.

with

identity_weights as (

    select * from {{ ref('identity_weights') }}

),

strangers_sampled as (

    select * from {{ ref('int_identity__strangers_sampled') }}

),

levels as (

    {% for name in form_comparisons() %}
    select
        '{{ name }}' as comparison,
        {{ name }}_level as level
    from strangers_sampled
    where
        {{ name }}_level is not null
        -- Who has another name is a stranger for sure.
        {%- if name not in ['first_name', 'last_name'] %}
        and coalesce(first_name_level, 'other') = 'other'
        and coalesce(last_name_level, 'other') = 'other'
        {%- endif %}
    {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

counted as (

    select
        comparison,
        level,
        cast(count(*) as {{ type_double() }})
        / sum(count(*)) over (partition by comparison) as u

    from levels

    group by
        comparison,
        level

),

measured as (

    select
        identity_weights.comparison,
        identity_weights.level,
        identity_weights.m,
        greatest(identity_weights.u, coalesce(counted.u, 0)) as u,
        greatest(identity_weights.u_household, coalesce(counted.u, 0)) as u_household

    from identity_weights

    left join counted
        on
            identity_weights.comparison = counted.comparison
            and identity_weights.level = counted.level

)

select * from measured
