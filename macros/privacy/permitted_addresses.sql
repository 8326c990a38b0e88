{# Consent is given under an address, and the best known one of a person may be another. It is
   taken if it is granted for all purposes of the sync, else the granted one that was decided last.
   Who said yes without an address (by a loyalty card) is reached at the best known one, unless it
   was refused: then there is none, and no row. To put somebody away at a destination nobody's
   consent is needed. `sync` is none while dbt parses. #}
{% macro permitted_addresses(sync_name, identifier_type) -%}
    {%- if identifier_type not in ['email', 'phone'] -%}
        {%- do exceptions.raise_compiler_error(
            'permitted_addresses: ' ~ identifier_type ~ ' is no address; email and phone are.'
        ) -%}
    {%- endif -%}
    {%- set sync = sync_settings(sync_name) or {'purpose': 'none', 'channel': 'none'} -%}
    {%- set purposes = [sync.purpose] if sync.purpose is string else sync.purpose -%}
    select
        customer_id,
        case when is_granted then address else best_address end as address
    from (
        select
            people.customer_id,
            people.{{ identifier_type }} as best_address,
            decided.address,
            coalesce(decided.is_granted, false) as is_granted,
            decided.address = people.{{ identifier_type }} and decided.is_refused as is_best_refused,
            row_number() over (
                partition by people.customer_id
                order by
                    case
                        when decided.is_granted and decided.address = people.{{ identifier_type }}
                            then 1
                        when decided.is_granted then 2
                        when decided.address = people.{{ identifier_type }} then 3
                        else 4
                    end,
                    decided.decided_at desc,
                    {{ binary_order('decided.address') }}
            ) as address_rank
        from {{ ref('customers') }} as people
        left join (
            select
                held.customer_id,
                held.identifier_value as address,
                count(distinct case when consents.is_granted then consents.purpose end)
                = {{ purposes | unique | list | length }} as is_granted,
                max(case when consents.is_refused then 1 else 0 end) = 1 as is_refused,
                max(consents.decided_at) as decided_at
            from {{ ref('int_profiles__identifiers_held') }} as held
            inner join {{ ref('contact_consents') }} as consents
                on
                    held.identifier_type = consents.identifier_type
                    and held.identifier_value = consents.identifier_value
            where
                held.is_own
                and held.identifier_type = '{{ identifier_type }}'
                and consents.purpose in ('{{ purposes | join("', '") }}')
                and consents.channel = '{{ sync.channel }}'
            group by held.customer_id, held.identifier_value
        ) as decided
            on people.customer_id = decided.customer_id
    ) as ranked
    where
        address_rank = 1
        {%- if sync.mode not in ['archive', 'delete'] %}
        and (is_granted or not coalesce(is_best_refused, false))
        {%- endif %}
{%- endmacro %}
