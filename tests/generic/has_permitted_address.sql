{# Independent of the macro that chooses: a row that goes to an address that refused, or to one
   without a yes while another one of the person has it, is a failure. #}
{% test has_permitted_address(model, column_name, key, identifier_type, purpose, channel) %}
    select rows_to_send.{{ key }}

    from {{ model }} as rows_to_send

    left join {{ ref('contact_consents') }} as consents
        on
            rows_to_send.{{ column_name }} = consents.identifier_value
            and consents.identifier_type = '{{ identifier_type }}'
            and consents.purpose = '{{ purpose }}'
            and consents.channel = '{{ channel }}'

    where
        consents.is_refused
        or (
            not coalesce(consents.is_granted, false)
            and exists (
                select 1
                from {{ ref('int_profiles__identifiers_held') }} as held
                inner join {{ ref('contact_consents') }} as others
                    on
                        held.identifier_type = others.identifier_type
                        and held.identifier_value = others.identifier_value
                where
                    held.customer_id = rows_to_send.{{ key }}
                    and held.is_own
                    and others.identifier_type = '{{ identifier_type }}'
                    and others.purpose = '{{ purpose }}'
                    and others.channel = '{{ channel }}'
                    and others.is_granted
            )
        )
{% endtest %}
