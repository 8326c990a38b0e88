-- Warns: an order whose lines do not add up is a fault of the source, not of the pipeline.
{{ config(severity='warn', meta={'dagster': {'ref': {'name': 'order_lines'}}}) }}

with

line_sums as (

    select
        order_id,
        sum(net_amount) as lines_amount

    from {{ ref('order_lines') }}

    group by order_id

)

select
    orders.order_id,
    orders.net_amount,
    line_sums.lines_amount

from {{ ref('orders') }} as orders

inner join line_sums
    on orders.order_id = line_sums.order_id

where orders.net_amount != line_sums.lines_amount
