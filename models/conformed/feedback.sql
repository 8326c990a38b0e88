with

versions as (

    {{ union_contributors('feedback') }}

),

newest as (

    {{ deduplicate(
        'versions',
        key='feedback_id',
        order_by=['loaded_at desc'],
        content=['score', 'comment', 'record_key']
    ) }}

),

final as (

    select
        feedback_id,
        record_key,
        feedback_type,
        product_id,
        order_id,
        score,
        score_max,
        comment,
        submitted_at,
        source_table,
        loaded_at,
        version_count

    from newest

)

select * from final
