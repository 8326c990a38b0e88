{% macro consented_customers(purposes, channel) -%}
    {%- if purposes is string -%}
        {%- set purposes = [purposes] -%}
    {%- endif -%}
    {%- if not purposes or not channel -%}
        {%- do exceptions.raise_compiler_error(
            'consented_customers needs at least one purpose and a channel: without them '
            ~ 'nobody can have consented.'
        ) -%}
    {%- endif -%}
    select consents.customer_id
    from {{ ref('customer_consents') }} as consents
    left join {{ ref('customer_suppressions') }} as suppressions
        on consents.customer_id = suppressions.customer_id
    {%- if channel == 'ads' %}
    left join ({{ sale_opt_outs() }}) as sale_opt_outs
        on consents.customer_id = sale_opt_outs.customer_id
    {%- endif %}
    where
        consents.is_granted
        and consents.purpose in ('{{ purposes | join("', '") }}')
        and consents.channel = '{{ channel }}'
        and suppressions.customer_id is null
        {%- if channel == 'ads' %}
        and sale_opt_outs.customer_id is null
        {%- endif %}
    group by consents.customer_id
    having count(distinct consents.purpose) = {{ purposes | unique | list | length }}
{%- endmacro %}
