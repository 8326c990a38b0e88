{# Where ids are kept, in a ledger, people are known by the id of the day. What a customer says
   today holds for every customer that was merged into it: its record may still be out there.
   `people` is a relation of customer_id and reason. #}
{% macro for_former_ids(people) -%}
    select
        customer_id,
        customer_id as current_customer_id,
        reason
    from {{ people }}
    union all
    select
        redirects.customer_id,
        people.customer_id as current_customer_id,
        people.reason
    from {{ people }} as people
    inner join {{ ref('customer_id_redirects') }} as redirects
        on people.customer_id = redirects.current_customer_id
    where redirects.status = 'merged'
{%- endmacro %}
