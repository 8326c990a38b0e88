-- Every combination of the three scores must end in exactly one cell, and every cell must
-- be the end of some combination, or its name would be a promise nobody can meet.

with

scores as (
    {% for score in range(1, 6) %}
        select {{ score }} as score
        {% if not loop.last %}union all{% endif %}
    {%- endfor %}
),

combinations as (

    select
        recency.score as recency_score,
        floor((frequency.score + monetary.score + 1) / 2.0) as fm_score

    from scores as recency

    cross join scores as frequency

    cross join scores as monetary

),

reachable_cells as (

    select distinct
        recency_score,
        fm_score

    from combinations

),

counted_cells as (

    select
        recency_score,
        fm_score,
        count(*) as segment_count

    from {{ ref('rfm_cells') }}

    group by recency_score, fm_score

),

wrong_cells as (

    select
        coalesce(reachable_cells.recency_score, counted_cells.recency_score) as recency_score,
        coalesce(reachable_cells.fm_score, counted_cells.fm_score) as fm_score,
        counted_cells.segment_count

    from reachable_cells

    full outer join counted_cells
        on
            reachable_cells.recency_score = counted_cells.recency_score
            and reachable_cells.fm_score = counted_cells.fm_score

    where
        reachable_cells.recency_score is null
        or counted_cells.segment_count is null
        or counted_cells.segment_count != 1

)

select * from wrong_cells
