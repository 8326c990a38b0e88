{# Consent is given under an address, and the best known one of a person may be another. It is
   taken if it is granted for all purposes of the sync, else the granted one that was decided last.
   Who said yes without an address (by a loyalty card) is reached at the best known one; who refused
   under any is not in `sync_rows`. `sync` is none while dbt parses. #}
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
        coalesce(address, best_address) as address
    from (
        select
            people.customer_id,
            people.{{ identifier_type }} as best_address,
            granted.address,
            row_number() over (
                partition by people.customer_id
                order by
                    case when granted.address = people.{{ identifier_type }} then 1 else 2 end,
                    granted.decided_at desc,
                    {{ binary_order('granted.address') }}
            ) as address_rank
        from {{ ref('customers') }} as people
        left join (
            select
                held.customer_id,
                held.identifier_value as address,
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
                and consents.is_granted
            group by held.customer_id, held.identifier_value
            having count(distinct consents.purpose) = {{ purposes | unique | list | length }}
        ) as granted
            on people.customer_id = granted.customer_id
    ) as ranked
    where address_rank = 1
{%- endmacro %}
