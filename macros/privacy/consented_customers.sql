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
    where
        suppressions.customer_id is null
        and consents.channel = '{{ channel }}'
        {%- if channel == 'ads' %}
        and (
            (consents.is_granted and consents.purpose in ('{{ purposes | join("', '") }}'))
            or consents.purpose = 'sale_or_share'
        )
        {%- else %}
        and consents.is_granted
        and consents.purpose in ('{{ purposes | join("', '") }}')
        {%- endif %}
    group by consents.customer_id
    having
        count(
            distinct case
                when
                    consents.is_granted
                    and consents.purpose in ('{{ purposes | join("', '") }}')
                    then consents.purpose
            end
        ) = {{ purposes | unique | list | length }}
        {%- if channel == 'ads' %}
        -- Handing data to an ad platform is selling or sharing it, whoever consented to ads.
        and max(
            case when consents.purpose = 'sale_or_share' and consents.is_refused then 1 else 0 end
        ) = 0
        {%- endif %}
{%- endmacro %}
