{# A recorded no. A person whose consent row is merely missing has left like any other, so that
   a consent table that failed to load is caught by the removal guard. #}
{% macro withdrawn_customers(purposes, channel) -%}
    {%- set purposes = [purposes] if purposes is string else purposes -%}
    select {{ 'distinct ' if purposes | length > 1 and channel != 'ads' }}customer_id
    from {{ ref('customer_consents') }}
    where
        purpose in ('{{ purposes | join("', '") }}')
        and channel = '{{ channel }}'
        and not is_granted
    {%- if channel == 'ads' %}
    union
    {{ sale_opt_outs() }}
    {%- endif %}
{%- endmacro %}
