{# Independent of the macro that filters: a row whose customer has no recorded yes, is
   suppressed, or opted out of the sale of data and is sent to ads, is a failure. #}
{% test has_permission(model, key, purpose, channel) %}
    select rows_to_send.{{ key }}

    from {{ model }} as rows_to_send

    left join {{ ref('customer_consents') }} as consents
        on
            rows_to_send.{{ key }} = consents.customer_id
            and consents.purpose = '{{ purpose }}'
            and consents.channel = '{{ channel }}'
            and consents.is_granted

    left join {{ ref('customer_consents') }} as sale_opt_outs
        on
            rows_to_send.{{ key }} = sale_opt_outs.customer_id
            and sale_opt_outs.purpose = 'sale_or_share'
            and sale_opt_outs.channel = 'ads'
            and sale_opt_outs.is_refused

    left join {{ ref('customer_suppressions') }} as suppressions
        on rows_to_send.{{ key }} = suppressions.customer_id

    where
        consents.customer_id is null
        or suppressions.customer_id is not null
        {% if channel == 'ads' %}or sale_opt_outs.customer_id is not null{% endif %}
{% endtest %}
