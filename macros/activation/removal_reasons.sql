{% macro removal_reasons(sync) -%}
withdrawn as (

    select
        customer_id,
        'consent' as reason

    from ({{ withdrawn_customers(sync.purpose, sync.channel) }}) as withdrawn_customers

),

withdrawals as (

    {{ for_former_ids('withdrawn') }}

),

suppressed as (

    -- Of several reasons the strongest is the first in the alphabet: erasure.
    select
        customer_id,
        min(reason) as reason

    from {{ ref('customer_suppressions') }}

    group by customer_id

),

suppressions as (

    {{ for_former_ids('suppressed') }}

),
{%- endmacro %}
