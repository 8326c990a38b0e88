{# Handing data to an ad platform is selling or sharing it, whoever consented to ads. #}
{% macro sale_opt_outs() -%}
    select customer_id
    from {{ ref('customer_consents') }}
    where
        purpose = 'sale_or_share'
        and channel = 'ads'
        and is_refused
{%- endmacro %}
