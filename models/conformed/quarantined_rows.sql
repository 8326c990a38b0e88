with

landing as (

    select
        source_name || '.' || table_name as source_table,
        cast(null as {{ dbt.type_string() }}) as row_key,
        reason as quarantine_reason,
        raw_text as raw_row,
        landed_at as loaded_at

    from {{ source('state', 'landing_rejections') }}

),

staging as (

    {% for model in var('quarantining_models') %}
        {{ quarantined_from(model.model, model.source_table, model.key) }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

unioned as (

    select
        source_table,
        row_key,
        quarantine_reason,
        raw_row,
        'landing' as stage,
        loaded_at

    from landing

    union all

    select
        source_table,
        row_key,
        quarantine_reason,
        raw_row,
        'staging' as stage,
        loaded_at

    from staging

)

select * from unioned
