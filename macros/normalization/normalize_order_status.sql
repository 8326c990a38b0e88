{% macro normalize_order_status(expression) -%}
    case lower({{ clean_text(expression) }})
        when 'paid' then 'completed'
        when 'payé' then 'completed'
        when 'bezahlt' then 'completed'
        when 'pagado' then 'completed'
        when 'shipped' then 'completed'
        when 'delivered' then 'completed'
        when 'completed' then 'completed'
        -- Money of a refund is in the returns; the sale itself took place.
        when 'refunded' then 'completed'
        when 'pending' then 'pending'
        when 'cancelled' then 'cancelled'
        when 'canceled' then 'cancelled'
    end
{%- endmacro %}
