{# A recorded no. A person whose consent row is merely missing has left like any other, so that
   a consent table that failed to load is caught by the removal guard. #}
{% macro withdrawn_customers(purpose, channel) -%}
    select customer_id
    from {{ ref('customer_consents') }}
    where
        purpose = '{{ purpose }}'
        and channel = '{{ channel }}'
        and not is_granted
    {%- if channel == 'ads' %}
    union
    {{ sale_opt_outs() }}
    {%- endif %}
{%- endmacro %}
